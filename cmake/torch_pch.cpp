// Holds the precompiled header of LibTorch; nothing else.
