// fovea's headers pass strings, vectors and functions of the standard library, and some options of a
// compiler change how these lie in memory. A program compiled with one of them links with fovea,
// answers, and destroys its memory; hence the refusal here, where the reason can be said.
// _GLIBCXX_ASSERTIONS checks much of what _GLIBCXX_DEBUG does and changes no layout.
#pragma once

#include <cstddef>  // defines the library's macros

#ifdef _GLIBCXX_DEBUG
#error "fovea was built without _GLIBCXX_DEBUG, which changes std::vector: use _GLIBCXX_ASSERTIONS"
#endif
#if defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#error "fovea was built with the newer std::string: compile without _GLIBCXX_USE_CXX11_ABI=0"
#endif
#ifdef _LIBCPP_VERSION
#error \
    "fovea was built with libstdc++, whose std::string is another: compile without -stdlib=libc++"
#endif
