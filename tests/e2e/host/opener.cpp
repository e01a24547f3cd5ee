// opener PLUG_IN RUN FILE: opens the plug-in, asks it and closes it, three times.
#include <dlfcn.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  for (int i = 0; i < 3; ++i) {
    void* plug_in = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (!plug_in) return std::fprintf(stderr, "%s\n", dlerror()), 1;
    using Decide = int (*)(const char*, const char*, char*, size_t);
    const auto decide = reinterpret_cast<Decide>(dlsym(plug_in, "decide"));
    char said[1000];
    const int code = decide(argv[2], argv[3], said, sizeof said);
    std::printf("%s\n", said);
    if (code != 0) return code;
    dlclose(plug_in);
  }
}
