// Holds the precompiled headers; nothing else.
