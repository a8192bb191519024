//===--- loading.h - calls of a library that is loaded at run time -----------===//
//
// A library's calls are listed once, as CALL(result, name, (parameters)). From the list come the structure that holds their addresses,
// the loop that fills it, and, where the library's own header is at hand, the proof that result and parameters are declared as there.
//===-----------------------------------------------------------------------===//

#ifndef LOADING_H
#define LOADING_H

// dladdr, which tells where a library was found.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "peers.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#define LOADING_MEMBER(result, name, parameters) result (*name) parameters;

// The name may be a macro itself: it is expanded before it becomes a string.
#define LOADING_TEXT_(name) #name
#define LOADING_TEXT(name) LOADING_TEXT_(name)

#define LOADING_FIND(result, name, parameters)                                                 \
    *(void **)&api.name = dlsym(library, LOADING_TEXT(name));                                  \
    if (api.name == NULL) return "its library has no " LOADING_TEXT(name);

#define LOADING_CHECK(result, name, parameters)                                                \
    _Static_assert(__builtin_types_compatible_p(__typeof__(&name), result (*) parameters),     \
                   LOADING_TEXT(name) " is declared otherwise in its header");

/// The first of the names that loads. Null-terminated; the one without a version comes with the -dev package.
static inline void *loading_open(const char *const *names) {
    for (; *names != NULL; names++) {
        void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
        if (library != NULL) return library;
    }
    return NULL;
}

static inline int loading_fail(char *error, const char *message) {
    snprintf(error, PEER_ERROR_LENGTH, "%s", message);
    return -1;
}

#endif
