/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON trees as Python objects, which is too much for cffi: a call for each node. Limited API of CPython 3.10.
 */
#include <Python.h>
#include <lanewise/json.h>
#include <lanewise/sse.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define FUNCTIONS(X) \
	X(json_parse) \
	X(json_nodes_bound) \
	X(json_repair) \
	X(json_f64) \
	X(json_string) \
	X(json_path) \
	X(json_follow) \
	X(sse_feed) X(sse_next) X(sse_json_begin) X(sse_json_scratch_size) X(sse_json_feed) X(sse_json_read)

#include "library.h"

enum {
	RELEASE_BYTES = 32768,  /* texts from this size on are parsed without the GIL */
	SPARE_BYTES = 1 << 20,  /* nodes that are kept from call to call, at most */
	LONGEST_INTEGER = 4300, /* digits, as Python itself has it by default: conversion takes quadratic time */
	CACHED_NAMES = 1024,
	CACHED_BYTES = 40,
	SHORT_TEXT = 512
};

/* ------------------------------------------------------------------- text */

/* Text as UTF-8, and what keeps it. */
struct text {
	const char *bytes;
	size_t n_bytes;
	PyObject *owner;
};

/* 0 with an exception set if the object is no text. The caller holds the object; the rest is text_end's. */
static int text_of(PyObject *object, struct text *t)
{
	char *bytes;
	Py_ssize_t n;

	t->owner = NULL;
	if (PyUnicode_Check(object)) {
		/* That of ASCII is the string itself; others keep theirs, so big ones are made anew instead. */
		if (PyUnicode_GetLength(object) < RELEASE_BYTES) {
			t->bytes = PyUnicode_AsUTF8AndSize(object, &n);
		} else {
			t->owner = PyUnicode_AsUTF8String(object);
			t->bytes = t->owner && PyBytes_AsStringAndSize(t->owner, &bytes, &n) == 0 ? bytes : NULL;
		}
		if (!t->bytes) {
			if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
				PyErr_Clear();
				PyErr_SetString(PyExc_ValueError, "text: a lone surrogate, which UTF-8 cannot have");
			}
			return 0;
		}
	} else {
		if (PyBytes_Check(object)) {
			Py_INCREF(object);
			t->owner = object;
		} else if (PyByteArray_Check(object) || PyObject_TypeCheck(object, &PyMemoryView_Type)) {
			t->owner = PyBytes_FromObject(object); /* they may change or go while the GIL is released */
		} else {
			PyErr_SetString(PyExc_TypeError, "text: str, bytes, bytearray or memoryview is needed");
		}
		if (!t->owner || PyBytes_AsStringAndSize(t->owner, &bytes, &n) < 0)
			return 0;
		t->bytes = bytes;
	}
	t->n_bytes = (size_t)n;
	return 1;
}

static void text_end(struct text *t) { Py_CLEAR(t->owner); }

static size_t ascii_prefix(const char *bytes, size_t n)
{
	size_t at = 0;
	uint64_t eight;

	for (; n - at >= sizeof eight; at += sizeof eight) {
		memcpy(&eight, bytes + at, sizeof eight);
		if (eight & 0x8080808080808080)
			break;
	}
	while (at < n && !((unsigned char)bytes[at] & 0x80))
		at++;
	return at;
}

/*
 * A str of UTF-8 that is known to be valid. Python's own decoder takes its time over a short text that is not ASCII: it
 * begins again at the first character that is wider than those before.
 */
static PyObject *str_of(const char *bytes, size_t n)
{
#if WCHAR_MAX > 0xffff
	wchar_t wide[SHORT_TEXT];
	size_t at = n <= SHORT_TEXT ? ascii_prefix(bytes, n) : n, n_wide = at;

	if (at < n) {
		for (size_t i = 0; i < at; i++)
			wide[i] = (wchar_t)bytes[i];
		while (at < n) {
			const unsigned char *p = (const unsigned char *)bytes + at;
			size_t size = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
			uint32_t c = *p & (size == 1 ? 0x7f : 0xff >> (size + 1));

			if (size > n - at)
				return PyUnicode_FromStringAndSize(bytes, (Py_ssize_t)n);
			for (size_t i = 1; i < size; i++)
				c = c << 6 | (p[i] & 0x3f);
			wide[n_wide++] = (wchar_t)c;
			at += size;
		}
		return PyUnicode_FromWideChar(wide, (Py_ssize_t)n_wide);
	}
#endif
	return PyUnicode_FromStringAndSize(bytes, (Py_ssize_t)n);
}

/* ------------------------------------------------------------------- tree */

struct tree {
	const char *text;
	lanewise_json_node *nodes;
	size_t n_nodes, capacity;
};

/* Nodes of an earlier call. Only touched with the GIL held. */
static lanewise_json_node *spare;
static size_t spare_capacity;

static int nodes_begin(struct tree *tree, size_t capacity)
{
	if (spare && spare_capacity >= capacity) {
		tree->nodes = spare;
		tree->capacity = spare_capacity;
		spare = NULL;
		return 1;
	}
	tree->capacity = capacity < 1024 ? 1024 : capacity;
	if (tree->capacity > SIZE_MAX / sizeof *tree->nodes ||
	    !(tree->nodes = malloc(tree->capacity * sizeof *tree->nodes))) {
		PyErr_NoMemory();
		return 0;
	}
	return 1;
}

static void nodes_end(struct tree *tree)
{
	if (tree->capacity <= SPARE_BYTES / sizeof *tree->nodes && (!spare || spare_capacity < tree->capacity)) {
		free(spare);
		spare = tree->nodes;
		spare_capacity = tree->capacity;
	} else {
		free(tree->nodes);
	}
}

static void raise(lanewise_status status, const lanewise_error *error, PyObject *given)
{
	PyObject *exception;

	if (status == LANEWISE_ERROR_NO_MEMORY) {
		PyErr_NoMemory();
		return;
	}
	if (status != LANEWISE_ERROR_DATA) {
		PyErr_SetString(PyExc_ValueError, error->status == status ? error->what : "an option is out of range");
		return;
	}
	exception = PyObject_CallFunction(error_class, "sOK", error->what, given, (unsigned long long)error->offset);
	if (!exception)
		return;
	PyErr_SetObject(error_class, exception);
	Py_DECREF(exception);
}

/* Parses a text; 1, or 0 with the error (or, status 0, an exception set). Then there is nothing to end. */
static int parse(const char *bytes, size_t n_bytes, const lanewise_json_options *options, struct tree *tree,
                 lanewise_status *status, lanewise_error *error)
{
	*status = LANEWISE_OK;
	error->status = LANEWISE_OK;
	if (!nodes_begin(tree, library.json_nodes_bound(n_bytes, options)))
		return 0;
	tree->text = bytes;
	if (n_bytes < RELEASE_BYTES) {
		*status =
		        library.json_parse(bytes, n_bytes, options, tree->nodes, tree->capacity, &tree->n_nodes, error);
	} else {
		Py_BEGIN_ALLOW_THREADS *status =
		        library.json_parse(bytes, n_bytes, options, tree->nodes, tree->capacity, &tree->n_nodes, error);
		Py_END_ALLOW_THREADS
	}
	if (*status == LANEWISE_OK)
		return 1;
	nodes_end(tree);
	return 0;
}

/* ---------------------------------------------------------------- objects */

/* Names met lately, which are likely to come again: for each a str whose hash is known. GIL held. */
static struct name {
	PyObject *string;
	size_t n_bytes;
	char bytes[CACHED_BYTES];
} names[CACHED_NAMES];

static uint64_t up_to_8_bytes(const char *bytes, size_t n)
{
	uint64_t value = 0;

	memcpy(&value, bytes, n < 8 ? n : 8);
	return value;
}

static PyObject *name_of(const char *bytes, size_t n_bytes)
{
	uint64_t hash;
	struct name *name;

	if (n_bytes == 0 || n_bytes > CACHED_BYTES)
		return PyUnicode_FromStringAndSize(bytes, (Py_ssize_t)n_bytes);
	hash = up_to_8_bytes(bytes, n_bytes);
	if (n_bytes > 8)
		hash = hash * 0x9e3779b97f4a7c15u ^ up_to_8_bytes(bytes + n_bytes - 8, 8);
	hash = (hash ^ n_bytes) * 0x9fb21c651e98df25u;
	name = names + (hash >> 54) % CACHED_NAMES;
	if (!name->string || name->n_bytes != n_bytes || memcmp(name->bytes, bytes, n_bytes) != 0) {
		PyObject *string = PyUnicode_FromStringAndSize(bytes, (Py_ssize_t)n_bytes);

		if (!string)
			return NULL;
		Py_XDECREF(name->string);
		name->string = string;
		name->n_bytes = n_bytes;
		memcpy(name->bytes, bytes, n_bytes);
	}
	Py_INCREF(name->string);
	return name->string;
}

static PyObject *string_of(const char *text, const lanewise_json_node *node)
{
	const char *inside = text + node->offset + 1;
	size_t n_bytes = node->n_bytes - 2, n_out = 0;
	char small[512], *decoded = small;
	PyObject *string;

	if (!(node->flags & LANEWISE_JSON_ESCAPES)) {
		if (node->flags & LANEWISE_JSON_NAME)
			return name_of(inside, n_bytes);
		return str_of(inside, n_bytes);
	}
	if (n_bytes > sizeof small && !(decoded = malloc(n_bytes)))
		return PyErr_NoMemory();
	library.json_string(text, node, decoded, n_bytes, &n_out);
	string = str_of(decoded, n_out);
	if (decoded != small)
		free(decoded);
	return string;
}

static PyObject *integer_of(const char *digits, size_t n_bytes)
{
	char copy[LONGEST_INTEGER + 2];

	if (n_bytes <= 18) {
		size_t i = digits[0] == '-';
		long long value = 0;

		for (; i < n_bytes; i++)
			value = 10 * value + (digits[i] - '0');
		return PyLong_FromLongLong(digits[0] == '-' ? -value : value);
	}
	if (n_bytes >= sizeof copy) {
		PyErr_Format(PyExc_ValueError, "an integer of over %d digits", LONGEST_INTEGER);
		return NULL;
	}
	memcpy(copy, digits, n_bytes);
	copy[n_bytes] = 0;
	return PyLong_FromString(copy, NULL, 10);
}

static PyObject *number_of(const char *text, const lanewise_json_node *node)
{
	double value = 0;

	if (node->flags & LANEWISE_JSON_INTEGER)
		return integer_of(text + node->offset, node->n_bytes);
	library.json_f64(text, node, &value); /* an infinity if it is too large, as json.loads gives it */
	return PyFloat_FromDouble(value);
}

static Py_ssize_t n_elements(const lanewise_json_node *nodes, size_t array)
{
	Py_ssize_t n = 0;

	for (size_t i = array + 1; i < nodes[array].next; i = nodes[i].next)
		n++;
	return n;
}

/* A scalar, or an array or object that is still empty, but for its size. */
static PyObject *begin_value(const char *text, const lanewise_json_node *nodes, size_t i)
{
	PyObject *constant = NULL;

	switch (nodes[i].type) {
	case LANEWISE_JSON_STRING:
		return string_of(text, nodes + i);
	case LANEWISE_JSON_NUMBER:
		return number_of(text, nodes + i);
	case LANEWISE_JSON_OBJECT:
		return PyDict_New();
	case LANEWISE_JSON_ARRAY:
		return PyList_New(n_elements(nodes, i));
	case LANEWISE_JSON_TRUE:
		constant = Py_True;
		break;
	case LANEWISE_JSON_FALSE:
		constant = Py_False;
		break;
	default:
		constant = Py_None;
		break;
	}
	Py_INCREF(constant);
	return constant;
}

/* A container under way. It is held by the one around it. */
struct open {
	PyObject *container;
	size_t end; /* the node behind it */
	Py_ssize_t n;
	int is_list;
};

struct stack {
	struct open *open, few[32];
	size_t n, capacity;
};

static int push(struct stack *stack, PyObject *container, const lanewise_json_node *node)
{
	if (stack->n == stack->capacity) {
		struct open *more = malloc(2 * stack->capacity * sizeof *more);

		if (!more) {
			PyErr_NoMemory();
			return 0;
		}
		memcpy(more, stack->open, stack->n * sizeof *more);
		if (stack->open != stack->few)
			free(stack->open);
		stack->open = more;
		stack->capacity *= 2;
	}
	stack->open[stack->n++] = (struct open) { container, node->next, 0, node->type == LANEWISE_JSON_ARRAY };
	return 1;
}

/* Adds a value, whose reference is taken over, to the innermost container. */
static int put(struct open *open, PyObject *name, PyObject *value)
{
	int result;

	if (open->is_list)
		return PyList_SetItem(open->container, open->n++, value) == 0;
	result = PyDict_SetItem(open->container, name, value);
	Py_DECREF(value);
	return result == 0;
}

static int fill(const char *text, const lanewise_json_node *nodes, size_t root, struct stack *stack)
{
	size_t i = root + 1;

	while (stack->n > 0) {
		struct open *open = stack->open + stack->n - 1;
		PyObject *name = NULL, *value;
		int added;

		if (i == open->end) {
			stack->n--;
			continue;
		}
		if (!open->is_list && !(name = string_of(text, nodes + i++)))
			return 0;
		value = begin_value(text, nodes, i);
		added = value && put(open, name, value);
		Py_XDECREF(name);
		if (!added || (nodes[i].type >= LANEWISE_JSON_ARRAY && !push(stack, value, nodes + i)))
			return 0;
		i++;
	}
	return 1;
}

/* The value of a node. Nothing but the objects made here can be seen by others, so the collector has nothing to do. */
static PyObject *object_of(const char *text, const lanewise_json_node *nodes, size_t root)
{
	struct stack stack = { .n = 0, .capacity = sizeof stack.few / sizeof stack.few[0] };
	PyObject *value = begin_value(text, nodes, root);
	int was_enabled, filled;

	if (!value || nodes[root].type < LANEWISE_JSON_ARRAY)
		return value;
	stack.open = stack.few;
	was_enabled = PyGC_Disable();
	filled = push(&stack, value, nodes + root) && fill(text, nodes, root, &stack);
	if (was_enabled)
		PyGC_Enable();
	if (stack.open != stack.few)
		free(stack.open);
	if (!filled)
		Py_CLEAR(value);
	return value;
}

/* Flags and depth, small numbers, from Python's. */
static int options_of(PyObject *flags, PyObject *max_depth, lanewise_json_options *options)
{
	unsigned long f = PyLong_AsUnsignedLong(flags), depth = PyErr_Occurred() ? 0 : PyLong_AsUnsignedLong(max_depth);

	if (PyErr_Occurred() || f > UINT32_MAX || depth > UINT32_MAX) {
		if (!PyErr_Occurred() || PyErr_ExceptionMatches(PyExc_OverflowError))
			PyErr_SetString(PyExc_ValueError, "max_depth: negative or too large");
		return 0;
	}
	*options = (lanewise_json_options) { .struct_size = sizeof *options,
		                             .flags = (uint32_t)f,
		                             .max_depth = (uint32_t)depth };
	return 1;
}

static PyObject *loads(PyObject *module, PyObject *const *arguments, Py_ssize_t n_arguments)
{
	lanewise_json_options options;
	lanewise_status status;
	lanewise_error error;
	PyObject *value = NULL;
	struct tree tree;
	struct text t;

	(void)module;
	if (n_arguments != 3)
		return PyErr_Format(PyExc_TypeError, "loads takes 3 arguments");
	if (!options_of(arguments[1], arguments[2], &options) || !text_of(arguments[0], &t))
		return NULL;
	if (parse(t.bytes, t.n_bytes, &options, &tree, &status, &error)) {
		value = object_of(tree.text, tree.nodes, 0);
		nodes_end(&tree);
	} else if (status != LANEWISE_OK) {
		raise(status, &error, arguments[0]);
	}
	text_end(&t);
	return value;
}

/* ----------------------------------------------------------------- repair */

/* repair(text, flags, max_depth, dialect): a str; the one given if it is JSON. */
static PyObject *repair(PyObject *module, PyObject *const *arguments, Py_ssize_t n_arguments)
{
	char small[4096], *out = small;
	size_t capacity = sizeof small;
	lanewise_json_repair_result result;
	lanewise_json_options valid;
	lanewise_json_repair_options options;
	unsigned long dialect;
	lanewise_status status;
	lanewise_error error;
	PyObject *repaired = NULL;
	struct text t;

	(void)module;
	if (n_arguments != 4)
		return PyErr_Format(PyExc_TypeError, "repair takes 4 arguments");
	dialect = PyLong_AsUnsignedLong(arguments[3]);
	if (PyErr_Occurred() || !options_of(arguments[1], arguments[2], &valid) || !text_of(arguments[0], &t))
		return NULL;
	options = (lanewise_json_repair_options) { sizeof options, valid.flags, valid.max_depth, (uint32_t)dialect, 0 };
	for (;;) {
		Py_BEGIN_ALLOW_THREADS status =
		        library.json_repair(t.bytes, t.n_bytes, &options, out, capacity, NULL, 0, &result, &error);
		Py_END_ALLOW_THREADS if (status != LANEWISE_ERROR_CAPACITY) break;
		if (out != small)
			free(out);
		capacity = result.n_out;
		out = malloc(capacity);
		if (!out)
			break;
	}
	if (!out) {
		PyErr_NoMemory();
	} else if (status != LANEWISE_OK) {
		raise(status, &error, arguments[0]);
	} else if (result.n_edits == 0 && PyUnicode_CheckExact(arguments[0])) {
		Py_INCREF(arguments[0]);
		repaired = arguments[0];
	} else {
		repaired = result.n_edits ? PyUnicode_FromStringAndSize(out, (Py_ssize_t)result.n_out)
		                          : PyUnicode_FromStringAndSize(t.bytes, (Py_ssize_t)t.n_bytes);
	}
	if (out != small)
		free(out);
	text_end(&t);
	return repaired;
}

/* ------------------------------------------------------------------ paths */

struct path {
	lanewise_json_step *steps;
	size_t n_steps;
	char *names;
};

struct paths {
	size_t n;
	int tuple; /* the result is a tuple, also for a single path */
	struct path path[];
};

static const char capsule_name[] = "lanewise._json.paths";

static void paths_destroy(struct paths *paths)
{
	for (size_t i = 0; i < paths->n; i++) {
		free(paths->path[i].steps);
		free(paths->path[i].names);
	}
	free(paths);
}

static void capsule_destroy(PyObject *capsule) { paths_destroy(PyCapsule_GetPointer(capsule, capsule_name)); }

static int path_begin(struct path *path, PyObject *given)
{
	Py_ssize_t n;
	const char *bytes = PyUnicode_Check(given) ? PyUnicode_AsUTF8AndSize(given, &n) : NULL;
	lanewise_error error;
	lanewise_status status;

	if (!bytes) {
		if (!PyErr_Occurred())
			PyErr_SetString(PyExc_TypeError, "path: a str is needed");
		return 0;
	}
	path->steps = malloc(((size_t)n + 1) * sizeof *path->steps);
	path->names = malloc((size_t)n + 1);
	if (!path->steps || !path->names) {
		PyErr_NoMemory();
		return 0;
	}
	status = library.json_path(bytes, (size_t)n, path->steps, (size_t)n + 1, &path->n_steps, path->names, &error);
	if (status != LANEWISE_OK) {
		PyErr_Format(PyExc_ValueError, "path %R: %s (at byte %llu)", given, error.what,
		             (unsigned long long)error.offset);
		return 0;
	}
	return 1;
}

/* paths(str, or sequence of str): a capsule for find() and the others. */
static PyObject *make_paths(PyObject *module, PyObject *given)
{
	int single = PyUnicode_Check(given);
	PyObject *list = single ? NULL : PySequence_List(given), *capsule;
	size_t n = single ? 1 : list ? (size_t)PyList_Size(list) : 0;
	struct paths *made;

	(void)module;
	if (!single && !list)
		return NULL;
	made = calloc(1, sizeof *made + n * sizeof made->path[0]);
	if (!made) {
		Py_XDECREF(list);
		return PyErr_NoMemory();
	}
	made->tuple = !single;
	while (made->n < n) {
		made->n++; /* what a failed path has is freed too */
		if (!path_begin(made->path + made->n - 1,
		                single ? given : PyList_GetItem(list, (Py_ssize_t)made->n - 1))) {
			paths_destroy(made);
			Py_XDECREF(list);
			return NULL;
		}
	}
	Py_XDECREF(list);
	capsule = PyCapsule_New(made, capsule_name, capsule_destroy);
	if (!capsule)
		paths_destroy(made);
	return capsule;
}

static PyObject *value_at(const char *text, const lanewise_json_node *nodes, const struct path *path,
                          PyObject *fallback)
{
	size_t node = library.json_follow(text, nodes, 0, path->steps, path->n_steps, path->names);

	if (node == SIZE_MAX) {
		Py_INCREF(fallback);
		return fallback;
	}
	return object_of(text, nodes, node);
}

/* What is at the paths: a tuple, or the one value. */
static PyObject *values_at(const char *text, const lanewise_json_node *nodes, const struct paths *paths,
                           PyObject *fallback)
{
	PyObject *tuple;

	if (!paths->tuple)
		return value_at(text, nodes, paths->path, fallback);
	tuple = PyTuple_New((Py_ssize_t)paths->n);
	for (size_t i = 0; tuple && i < paths->n; i++) {
		PyObject *value = value_at(text, nodes, paths->path + i, fallback);

		if (!value || PyTuple_SetItem(tuple, (Py_ssize_t)i, value) < 0)
			Py_CLEAR(tuple);
	}
	return tuple;
}

/* find(text, paths, fallback, flags, max_depth) */
static PyObject *find(PyObject *module, PyObject *arguments)
{
	lanewise_json_options options;
	PyObject *given, *capsule, *fallback, *flags, *max_depth, *value = NULL;
	lanewise_status status;
	lanewise_error error;
	const struct paths *paths;
	struct tree tree;
	struct text t;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "OOOOO", &given, &capsule, &fallback, &flags, &max_depth) ||
	    !options_of(flags, max_depth, &options) || !(paths = PyCapsule_GetPointer(capsule, capsule_name)) ||
	    !text_of(given, &t))
		return NULL;
	if (parse(t.bytes, t.n_bytes, &options, &tree, &status, &error)) {
		value = values_at(tree.text, tree.nodes, paths, fallback);
		nodes_end(&tree);
	} else if (status != LANEWISE_OK) {
		raise(status, &error, given);
	}
	text_end(&t);
	return value;
}

/* view(address of a lanewise_json_view that has nodes, paths or None, fallback) */
static PyObject *view_value(PyObject *module, PyObject *arguments)
{
	unsigned long long address;
	PyObject *capsule, *fallback;
	const lanewise_json_view *view;
	const struct paths *paths;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "KOO", &address, &capsule, &fallback))
		return NULL;
	view = (const lanewise_json_view *)(uintptr_t)address;
	if (capsule == Py_None)
		return object_of(view->text, view->nodes, 0);
	paths = PyCapsule_GetPointer(capsule, capsule_name);
	return paths ? values_at(view->text, view->nodes, paths, fallback) : NULL;
}

/* ----------------------------------------------------------------- events */

/*
 * events(address of a lanewise_sse, piece, done, on_error, out): appends the values of the events that the piece completes to the list `out`, and returns (0 or 1 if one had the data `done`, events skipped).
 * on_error: 1 skips data that is no JSON.
 */
static PyObject *events(PyObject *module, PyObject *arguments)
{
	unsigned long long address;
	PyObject *piece, *done, *out;
	lanewise_sse_event event;
	Py_ssize_t n_done, n_skipped = 0;
	char *done_bytes;
	int skip, is_done = 0, there, good = 1;
	lanewise_sse *sse;
	struct text t;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "KOSiO", &address, &piece, &done, &skip, &out) ||
	    PyBytes_AsStringAndSize(done, &done_bytes, &n_done) < 0 || !text_of(piece, &t))
		return NULL;
	sse = (lanewise_sse *)(uintptr_t)address;
	library.sse_feed(sse, t.bytes, t.n_bytes);
	while ((there = library.sse_next(sse, &event)) > 0) {
		lanewise_status status;
		lanewise_error error;
		PyObject *value = NULL;
		struct tree tree;

		/* The stream is read to the end of the piece whatever happens. */
		if (is_done || !good)
			continue;
		if (n_done && event.n_data == (size_t)n_done && memcmp(event.data, done_bytes, event.n_data) == 0) {
			is_done = 1;
			continue;
		}
		if (parse(event.data, event.n_data, NULL, &tree, &status, &error)) {
			value = object_of(tree.text, tree.nodes, 0);
			nodes_end(&tree);
		} else if (status == LANEWISE_ERROR_DATA && skip) {
			n_skipped++;
			continue;
		} else if (status != LANEWISE_OK) {
			PyObject *data = PyBytes_FromStringAndSize(event.data, (Py_ssize_t)event.n_data);

			if (data)
				raise(status, &error, data);
			Py_XDECREF(data);
		}
		good = value && PyList_Append(out, value) == 0;
		Py_XDECREF(value);
	}
	text_end(&t);
	if (good && there < 0) {
		PyErr_SetString(PyExc_ValueError, "an event is larger than max_bytes, or its type or id is too long");
		good = 0;
	}
	return good ? Py_BuildValue("in", is_done, n_skipped) : NULL;
}

/* ----------------------------------------------------- values of events */

/* A stream whose values at paths are read; it has the paths that lead to them as the library wants them. */
struct value_stream {
	lanewise_sse_json *events;
	void *scratch;
	PyObject *capsule; /* the paths' */
	PyObject *done;
	PyObject *fallback;
	int is_done, is_fed; /* fed: a call is under way */
	Py_ssize_t n_skipped;
	const struct paths *paths;
	lanewise_sse_path *path;
	lanewise_sse_value *values;
	size_t n_values;
	char *out;
	size_t capacity;
};

enum { VALUES_AT_ONCE = 256, OUT_BYTES = 16384 };

static const char stream_name[] = "lanewise._json.stream";

static void stream_destroy(struct value_stream *stream)
{
	Py_XDECREF(stream->capsule);
	Py_XDECREF(stream->done);
	Py_XDECREF(stream->fallback);
	free(stream->scratch);
	free(stream->path);
	free(stream->values);
	free(stream->out);
	free(stream);
}

static void stream_capsule_destroy(PyObject *capsule) { stream_destroy(PyCapsule_GetPointer(capsule, stream_name)); }

/* stream(paths, fallback, done, skip, max_bytes): a capsule for feeders() and state(). */
static PyObject *make_stream(PyObject *module, PyObject *arguments)
{
	PyObject *capsule, *fallback, *done, *made;
	lanewise_sse_json_options options = { .struct_size = sizeof options };
	unsigned long long max_bytes;
	struct value_stream *stream;
	Py_ssize_t n_done;
	char *done_bytes;
	size_t n_scratch;
	int skip;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "OOSiK", &capsule, &fallback, &done, &skip, &max_bytes))
		return NULL;
	stream = calloc(1, sizeof *stream);
	if (!stream)
		return PyErr_NoMemory();
	stream->paths = PyCapsule_GetPointer(capsule, capsule_name);
	if (!stream->paths || PyBytes_AsStringAndSize(done, &done_bytes, &n_done) < 0) {
		free(stream);
		return NULL;
	}
	Py_INCREF(capsule);
	stream->capsule = capsule;
	Py_INCREF(done);
	stream->done = done;
	Py_INCREF(fallback);
	stream->fallback = fallback;
	options.flags = skip ? LANEWISE_SSE_SKIP : 0;
	options.done = done_bytes;
	options.n_done = (uint32_t)n_done;
	options.max_bytes = (size_t)max_bytes + !max_bytes;
	n_scratch = library.sse_json_scratch_size(stream->paths->n, &options);
	stream->n_values = stream->paths->n > VALUES_AT_ONCE ? stream->paths->n : VALUES_AT_ONCE;
	stream->capacity = OUT_BYTES;
	stream->scratch = n_scratch == SIZE_MAX ? NULL : malloc(n_scratch);
	stream->path = malloc((stream->paths->n + 1) * sizeof *stream->path);
	stream->values = malloc(stream->n_values * sizeof *stream->values);
	stream->out = malloc(stream->capacity);
	if (!stream->scratch || !stream->path || !stream->values || !stream->out) {
		stream_destroy(stream);
		return PyErr_NoMemory();
	}
	for (size_t i = 0; i < stream->paths->n; i++) {
		const struct path *path = &stream->paths->path[i];

		stream->path[i] = (lanewise_sse_path) { path->steps, path->n_steps, path->names };
	}
	stream->events = library.sse_json_begin(stream->scratch, n_scratch, stream->path, stream->paths->n, &options);
	if (!stream->events) {
		stream_destroy(stream);
		PyErr_SetString(PyExc_ValueError, "max_bytes or done is too large");
		return NULL;
	}
	made = PyCapsule_New(stream, stream_name, stream_capsule_destroy);
	if (!made)
		stream_destroy(stream);
	return made;
}

/* What a value that is neither string nor word stands for. */
static PyObject *parsed_value(const char *bytes, size_t n_bytes)
{
	lanewise_status status;
	lanewise_error error;
	PyObject *value = NULL;
	struct tree tree;

	if (parse(bytes, n_bytes, NULL, &tree, &status, &error)) {
		value = object_of(bytes, tree.nodes, 0);
		nodes_end(&tree);
	} else if (status != LANEWISE_OK) {
		PyErr_SetString(PyExc_SystemError, error.what);
	}
	return value;
}

static PyObject *stream_value(const struct value_stream *stream, const lanewise_sse_value *value)
{
	const char *bytes = stream->out + value->offset;
	PyObject *object = NULL;

	switch (value->type) {
	case LANEWISE_JSON_STRING:
		return str_of(bytes, value->n_bytes);
	case LANEWISE_SSE_NOTHING:
		object = stream->fallback;
		break;
	case LANEWISE_JSON_NULL:
		object = Py_None;
		break;
	case LANEWISE_JSON_TRUE:
		object = Py_True;
		break;
	case LANEWISE_JSON_FALSE:
		object = Py_False;
		break;
	default:
		return value->flags & LANEWISE_JSON_INTEGER ? integer_of(bytes, value->n_bytes)
		                                            : parsed_value(bytes, value->n_bytes);
	}
	Py_INCREF(object);
	return object;
}

/* An event's values appended to the list: a tuple, or the one. */
static int append_values(const struct value_stream *stream, const lanewise_sse_value *values, PyObject *list)
{
	PyObject *object;
	int good;

	if (stream->paths->tuple) {
		object = PyTuple_New((Py_ssize_t)stream->paths->n);
		for (size_t i = 0; object && i < stream->paths->n; i++) {
			PyObject *value = stream_value(stream, &values[i]);

			if (!value || PyTuple_SetItem(object, (Py_ssize_t)i, value) < 0)
				Py_CLEAR(object);
		}
	} else {
		object = stream_value(stream, values);
	}
	good = object && PyList_Append(list, object) == 0;
	Py_XDECREF(object);
	return good;
}

/* Reads on; 0 with an exception, -1 if no more is to come, 1 if it is. There may be events in all cases. */
static int read_stream(struct value_stream *stream, lanewise_sse_json_result *result)
{
	for (;;) {
		lanewise_error error;
		int32_t more = library.sse_json_read(stream->events, stream->out, stream->capacity, stream->values,
		                                     stream->n_values, result, &error);

		stream->is_done = (int)result->done;
		stream->n_skipped += (Py_ssize_t)result->n_skipped;
		if (more >= 0)
			return more ? 1 : -1;
		if (more == LANEWISE_ERROR_CAPACITY) {
			size_t capacity = result->n_out + OUT_BYTES;
			char *out = malloc(capacity);

			if (!out) {
				PyErr_NoMemory();
				return 0;
			}
			free(stream->out);
			stream->out = out;
			stream->capacity = capacity;
			continue;
		}
		if (more == LANEWISE_ERROR_DATA) {
			PyObject *data = PyBytes_FromStringAndSize(result->data, (Py_ssize_t)result->n_data);

			if (data)
				raise(more, &error, data);
			Py_XDECREF(data);
		} else {
			PyErr_SetString(PyExc_ValueError,
			                "an event is larger than max_bytes, or its type or id is too long");
		}
		return 0;
	}
}

/* The stream is read to the end of the piece whatever happens. */
static void read_rest(struct value_stream *stream)
{
	lanewise_sse_json_result result;
	PyObject *type, *value, *traceback;
	int more = 1;

	PyErr_Fetch(&type, &value, &traceback);
	while (more >= 0) {
		more = read_stream(stream, &result);
		if (more == 0 && !PyErr_ExceptionMatches(error_class))
			more = -1;
		PyErr_Clear();
	}
	PyErr_Restore(type, value, traceback);
}

/*
 * The stream of a capsule, for a call that feeds it; the call ends with is_fed = 0. NULL with an exception set if another is
 * under way: that of another thread, or the one that this one comes from, as making objects may run finalizers.
 */
static struct value_stream *stream_begin(PyObject *capsule)
{
	struct value_stream *stream = PyCapsule_GetPointer(capsule, stream_name);

	if (stream && stream->is_fed) {
		PyErr_SetString(PyExc_RuntimeError,
		                "Events: in use by another thread, or by the call from which this one comes; "
		                "threads that share it have to hold a lock during calls");
		return NULL;
	}
	if (stream)
		stream->is_fed = 1;
	return stream;
}

/* feed(piece), whose self is the stream: a list of values. */
static PyObject *stream_values(PyObject *capsule, PyObject *piece)
{
	lanewise_sse_json_result result;
	struct value_stream *stream;
	PyObject *list;
	struct text t;
	int more = 1, good = 1;

	if (!text_of(piece, &t))
		return NULL;
	stream = stream_begin(capsule);
	if (!stream) {
		text_end(&t);
		return NULL;
	}
	list = PyList_New(0);
	library.sse_json_feed(stream->events, t.bytes, t.n_bytes);
	while (list && good && more > 0) {
		more = read_stream(stream, &result);
		good = more != 0;
		for (size_t i = 0; good && i < result.n_events; i++)
			good = append_values(stream, stream->values + i * stream->paths->n, list);
	}
	if (!good)
		read_rest(stream);
	stream->is_fed = 0;
	text_end(&t);
	if (!good)
		Py_CLEAR(list);
	return list;
}

/* Moves the strings among the values together, at the beginning of `out`; returns their bytes. */
static size_t join_strings(struct value_stream *stream, size_t n_values)
{
	size_t n = 0;

	for (size_t i = 0; i < n_values; i++) {
		const lanewise_sse_value *value = &stream->values[i];

		if (value->type != LANEWISE_JSON_STRING)
			continue;
		if (value->offset != n)
			memmove(stream->out + n, stream->out + value->offset, value->n_bytes);
		n += value->n_bytes;
	}
	return n;
}

/* feed_text(piece), whose self is the stream: the strings among the values joined. */
static PyObject *stream_texts(PyObject *capsule, PyObject *piece)
{
	lanewise_sse_json_result result;
	struct value_stream *stream;
	PyObject *text = NULL;
	struct text t;
	int more = 1, good = 1;

	if (!text_of(piece, &t))
		return NULL;
	stream = stream_begin(capsule);
	if (!stream) {
		text_end(&t);
		return NULL;
	}
	library.sse_json_feed(stream->events, t.bytes, t.n_bytes);
	while (good && more > 0) {
		PyObject *part, *both;

		more = read_stream(stream, &result);
		part = more ? str_of(stream->out, join_strings(stream, result.n_events * stream->paths->n)) : NULL;
		if (part && text) {
			both = PyUnicode_Concat(text, part);
			Py_DECREF(part);
			part = both;
		}
		Py_XDECREF(text);
		text = part;
		good = part != NULL;
	}
	if (!good)
		read_rest(stream);
	stream->is_fed = 0;
	text_end(&t);
	return text;
}

static PyMethodDef feed_method = { "feed", stream_values, METH_O, "The values of the events complete now." };
static PyMethodDef feed_text_method = { "feed_text", stream_texts, METH_O, "Their strings, joined." };

/* feeders(stream): its functions feed and feed_text. They have the stream as their self, so that a call is one call. */
static PyObject *stream_feeders(PyObject *module, PyObject *capsule)
{
	(void)module;
	if (!PyCapsule_GetPointer(capsule, stream_name))
		return NULL;
	return Py_BuildValue("NN", PyCFunction_New(&feed_method, capsule), PyCFunction_New(&feed_text_method, capsule));
}

/* state(stream): whether it is done, and the number of events skipped. */
static PyObject *stream_state(PyObject *module, PyObject *capsule)
{
	const struct value_stream *stream = PyCapsule_GetPointer(capsule, stream_name);

	(void)module;
	return stream ? Py_BuildValue("Nn", PyBool_FromLong(stream->is_done), stream->n_skipped) : NULL;
}

static PyMethodDef methods[] = {
	{ "connect", connect, METH_VARARGS, "Gets the library's functions and the class of errors." },
	{ "loads", (PyCFunction)(void (*)(void))loads, METH_FASTCALL, "The value of a text." },
	{ "repair", (PyCFunction)(void (*)(void))repair, METH_FASTCALL, "JSON of what is nearly JSON." },
	{ "paths", make_paths, METH_O, "Compiled paths." },
	{ "find", find, METH_VARARGS, "What is at paths in a text." },
	{ "view", view_value, METH_VARARGS, "The value of a partial text." },
	{ "events", events, METH_VARARGS, "Values of server-sent events." },
	{ "stream", make_stream, METH_VARARGS, "A stream of events whose values at paths are read." },
	{ "feeders", stream_feeders, METH_O, "The functions that feed a stream: for the values, for their text." },
	{ "state", stream_state, METH_O, "Whether a stream is done, and how many events it skipped." },
	{ NULL, NULL, 0, NULL },
};
static PyModuleDef module = { PyModuleDef_HEAD_INIT, .m_name = "_json", .m_size = -1, .m_methods = methods };

PyMODINIT_FUNC PyInit__json(void)
{
	PyObject *made = PyModule_Create(&module);

#define NAME(name) "lanewise_" #name " "
	if (made && PyModule_AddStringConstant(made, "NEEDED", FUNCTIONS(NAME)) < 0)
		Py_CLEAR(made);
	return made;
}
