/* SPDX-License-Identifier: Apache-2.0 */
/* Finding libstemmer (snowball.h). The build knows its name where its headers are installed. */
#include "text/snowball.h"

#include <string.h>

#if defined(LW_SNOWBALL_LIBRARY)
#include <dlfcn.h>

/* ISO C has no conversion between pointers to objects and to functions; POSIX says that they look alike. */
static int find_function(void *library, const char *name, void *function)
{
	void *found = dlsym(library, name);

	memcpy(function, &found, sizeof found);
	return found != NULL;
}

int lanewise_snowball_find(struct lw_snowball *snowball, const char **why)
{
	/* It stays loaded, for analyzers to come too. */
	void *library = dlopen(LW_SNOWBALL_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	*why = LW_SNOWBALL_LIBRARY " is not installed";
	if (!library)
		return 0;
	*why = LW_SNOWBALL_LIBRARY " lacks a function";
	return find_function(library, "sb_stemmer_list", &snowball->list) &&
	       find_function(library, "sb_stemmer_new", &snowball->create) &&
	       find_function(library, "sb_stemmer_delete", &snowball->destroy) &&
	       find_function(library, "sb_stemmer_stem", &snowball->stem) &&
	       find_function(library, "sb_stemmer_length", &snowball->length);
}

#else

int lanewise_snowball_find(struct lw_snowball *snowball, const char **why)
{
	memset(snowball, 0, sizeof *snowball);
	*why = "this library was built without libstemmer";
	return 0;
}

#endif
