/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole texts without their duplicates, which through cffi would be a Python object for each unit. Limited API of CPython
 * 3.10.
 */
#include <Python.h>
#include <lanewise/dedup.h>
#include <lanewise/hash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTIONS(X) \
	X(dedup_create) X(dedup_destroy) X(dedup_feed) X(dedup_finish) X(dedup_next) X(dedup_next_forms) X(xxh3_64)

#include "library.h"

enum {
	RELEASE_BYTES = 16384, /* texts from this size on are gone through without the GIL */
	BATCH = 256,
	NAME_BYTES = 12
};

/* ------------------------------------------------------------------- text */

/* Text as UTF-8, and what keeps it. */
struct text {
	const char *bytes;
	size_t n_bytes;
	PyObject *owner;
	int is_str;
};

static int is_ascii(PyObject *string)
{
	PyObject *answer = PyObject_CallMethod(string, "isascii", NULL);
	int is = answer == Py_True;

	Py_XDECREF(answer);
	PyErr_Clear();
	return is;
}

/* 0 with an exception set if the object is no text. The caller holds the object; the rest is text_end's. */
static int text_of(PyObject *object, struct text *t)
{
	char *bytes = NULL;
	Py_ssize_t n = 0;

	*t = (struct text) { .is_str = PyUnicode_Check(object) };
	if (t->is_str) {
		/* That of ASCII is the string itself; others keep theirs, so big ones are made anew instead. */
		if (PyUnicode_GetLength(object) < RELEASE_BYTES || is_ascii(object)) {
			t->bytes = PyUnicode_AsUTF8AndSize(object, &n);
		} else {
			t->owner = PyUnicode_AsUTF8String(object);
			t->bytes = t->owner && PyBytes_AsStringAndSize(t->owner, &bytes, &n) == 0 ? bytes : NULL;
		}
	} else if (PyBytes_Check(object)) {
		Py_INCREF(object);
		t->owner = object;
	} else if (PyByteArray_Check(object) || PyObject_TypeCheck(object, &PyMemoryView_Type)) {
		t->owner = PyBytes_FromObject(object); /* they may change or go while the GIL is released */
	} else {
		PyErr_Format(PyExc_TypeError, "text: str or bytes are needed, not %R", (PyObject *)Py_TYPE(object));
	}
	if (!t->is_str && t->owner && PyBytes_AsStringAndSize(t->owner, &bytes, &n) == 0)
		t->bytes = bytes;
	t->n_bytes = (size_t)n;
	if (!t->bytes && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
		PyErr_Clear();
		PyErr_SetString(PyExc_ValueError, "text: a lone surrogate, which UTF-8 cannot have");
	}
	if (!t->bytes)
		Py_CLEAR(t->owner);
	return t->bytes != NULL;
}

static void text_end(struct text *t) { Py_CLEAR(t->owner); }

/* ---------------------------------------------------------------- options */

static int to_uint64(PyObject *object, void *to)
{
	uint64_t value = PyLong_AsUnsignedLongLong(object);

	memcpy(to, &value, sizeof value);
	return !(value == UINT64_MAX && PyErr_Occurred());
}

static PyObject *raise_status(lanewise_status status, const lanewise_error *error)
{
	if (status == LANEWISE_ERROR_NO_MEMORY)
		return PyErr_NoMemory();
	PyErr_SetString(error_class, error->status == status ? error->what : "deduplication failed");
	return NULL;
}

/* ------------------------------------------------------------------- unique */

/* What is kept of a text. */
struct kept {
	char *bytes;
	size_t n, capacity;
	const char *separator; /* between units, or NULL: lines with their ends */
	size_t n_separator;
	int any;
};

static int keep(struct kept *kept, const struct text *text, const lanewise_dedup_unit *unit)
{
	size_t begin = (size_t)unit->begin, end = (size_t)unit->end, n_separator = kept->any ? kept->n_separator : 0;
	size_t n;

	if (!kept->separator && end < text->n_bytes)
		end++;
	n = end - begin;
	if (kept->capacity - kept->n < n + n_separator) {
		size_t capacity = kept->n + n + n_separator;
		char *bytes = capacity <= SIZE_MAX / 2 ? realloc(kept->bytes, 2 * capacity) : NULL;

		if (!bytes)
			return 0;
		kept->bytes = bytes;
		kept->capacity = 2 * capacity;
	}
	if (n_separator)
		memcpy(kept->bytes + kept->n, kept->separator, n_separator);
	if (n)
		memcpy(kept->bytes + kept->n + n_separator, text->bytes + begin, n);
	kept->n += n_separator + n;
	kept->any = 1;
	return 1;
}

static lanewise_status keep_ready(lanewise_dedup *dedup, const struct text *text, struct kept *kept)
{
	lanewise_dedup_unit units[BATCH];
	size_t n;

	do {
		lanewise_status status = library.dedup_next(dedup, units, BATCH, &n);

		if (status != LANEWISE_OK)
			return status;
		for (size_t i = 0; i < n; i++)
			if (units[i].first == units[i].number && !keep(kept, text, &units[i]))
				return LANEWISE_ERROR_NO_MEMORY;
	} while (n > 0);
	return LANEWISE_OK;
}

static lanewise_status keep_unique(const lanewise_dedup_options *options, const struct text *text, struct kept *kept,
                                   lanewise_error *error)
{
	lanewise_dedup *dedup;
	lanewise_status status = library.dedup_create(options, NULL, &dedup, error);

	if (status != LANEWISE_OK)
		return status;
	kept->capacity = text->n_bytes + 1; /* all of it, unless separators are longer than what they stand for */
	kept->bytes = malloc(kept->capacity);
	status = kept->bytes ? library.dedup_feed(dedup, text->bytes, text->n_bytes) : LANEWISE_ERROR_NO_MEMORY;
	if (status == LANEWISE_OK)
		status = keep_ready(dedup, text, kept);
	if (status == LANEWISE_OK)
		status = library.dedup_finish(dedup);
	if (status == LANEWISE_OK)
		status = keep_ready(dedup, text, kept);
	library.dedup_destroy(dedup);
	return status;
}

/* unique(text, separator or None, unit, mode, normalize, code_points, min_length, window, max_bytes): str for str, or bytes */
static PyObject *unique(PyObject *module, PyObject *arguments)
{
	lanewise_dedup_options options = { .struct_size = sizeof options };
	lanewise_error error = { 0 };
	struct kept kept = { 0 };
	struct text text, separator = { 0 };
	PyObject *given, *between, *result = NULL;
	lanewise_status status;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "OOiiIIO&O&O&", &given, &between, &options.unit, &options.mode,
	                      &options.normalize, &options.count_code_points, to_uint64, &options.min_length, to_uint64,
	                      &options.window, to_uint64, &options.max_bytes))
		return NULL;
	if (!text_of(given, &text))
		return NULL;
	if (between != Py_None && !text_of(between, &separator)) {
		text_end(&text);
		return NULL;
	}
	kept.separator = separator.bytes;
	kept.n_separator = separator.n_bytes;
	if (text.n_bytes >= RELEASE_BYTES) {
		Py_BEGIN_ALLOW_THREADS status = keep_unique(&options, &text, &kept, &error);
		Py_END_ALLOW_THREADS
	} else {
		status = keep_unique(&options, &text, &kept, &error);
	}
	if (status != LANEWISE_OK)
		raise_status(status, &error);
	else if (text.is_str)
		result = PyUnicode_FromStringAndSize(kept.bytes, (Py_ssize_t)kept.n);
	else
		result = PyBytes_FromStringAndSize(kept.bytes, (Py_ssize_t)kept.n);
	free(kept.bytes);
	text_end(&separator);
	text_end(&text);
	return result;
}

/* ------------------------------------------------------------ named blocks */

struct row {
	size_t begin, end;
	uint64_t number, first, hash;
	uint32_t flags;
};

struct rows {
	struct row *row;
	size_t n, capacity;
};

static lanewise_status add_ready(lanewise_dedup *dedup, struct rows *rows)
{
	lanewise_dedup_unit units[BATCH];
	lanewise_dedup_form forms[BATCH];
	size_t n;

	do {
		lanewise_status status = library.dedup_next_forms(dedup, units, forms, BATCH, &n);

		if (status != LANEWISE_OK)
			return status;
		if (rows->capacity - rows->n < n) {
			struct row *row = realloc(rows->row, (2 * rows->n + BATCH) * sizeof *row);

			if (!row)
				return LANEWISE_ERROR_NO_MEMORY;
			rows->row = row;
			rows->capacity = 2 * rows->n + BATCH;
		}
		for (size_t i = 0; i < n; i++) {
			struct row *row = &rows->row[rows->n++];

			*row = (struct row) {
				(size_t)units[i].begin, (size_t)units[i].end, units[i].number, units[i].first, 0,
				units[i].flags
			};
			if (row->first == row->number && !row->flags)
				row->hash = library.xxh3_64(forms[i].text, forms[i].n_bytes, 0);
		}
	} while (n > 0);
	return LANEWISE_OK;
}

static lanewise_status list_rows(const lanewise_dedup_options *options, const struct text *text, struct rows *rows,
                                 lanewise_error *error)
{
	lanewise_dedup *dedup;
	lanewise_status status = library.dedup_create(options, NULL, &dedup, error);

	if (status != LANEWISE_OK)
		return status;
	status = library.dedup_feed(dedup, text->bytes, text->n_bytes);
	if (status == LANEWISE_OK)
		status = add_ready(dedup, rows);
	if (status == LANEWISE_OK)
		status = library.dedup_finish(dedup);
	if (status == LANEWISE_OK)
		status = add_ready(dedup, rows);
	library.dedup_destroy(dedup);
	return status;
}

/* The lower 48 bits. */
static PyObject *name_of(uint64_t hash)
{
	static const char digits[] = "0123456789abcdef";
	char name[NAME_BYTES];

	for (int i = 0; i < NAME_BYTES; i++)
		name[i] = digits[hash >> 4 * (NAME_BYTES - 1 - i) & 15];
	return PyUnicode_FromStringAndSize(name, NAME_BYTES);
}

/* A new reference to the name of row i; duplicates share that of the first, whose tuple is in the list. */
static PyObject *name_of_row(const struct rows *rows, size_t i, PyObject *list, PyObject *none)
{
	const struct row *row = &rows->row[i];
	PyObject *name;

	if (!row->flags && row->first == row->number)
		return name_of(row->hash);
	name = row->flags ? none : PyTuple_GetItem(PyList_GetItem(list, (Py_ssize_t)row->first), 0);
	Py_XINCREF(name);
	return name;
}

static PyObject *tuple_of_row(const struct rows *rows, size_t i, const struct text *text, PyObject *list,
                              PyObject *none)
{
	const struct row *row = &rows->row[i];
	PyObject *tuple = PyTuple_New(3), *name = name_of_row(rows, i, list, none);
	PyObject *block = PyUnicode_FromStringAndSize(text->bytes + row->begin, (Py_ssize_t)(row->end - row->begin));
	PyObject *repeated = row->first != row->number ? Py_True : Py_False;

	if (!tuple || !name || !block) {
		Py_XDECREF(tuple);
		Py_XDECREF(name);
		Py_XDECREF(block);
		return NULL;
	}
	Py_INCREF(repeated);
	PyTuple_SetItem(tuple, 0, name);
	PyTuple_SetItem(tuple, 1, block);
	PyTuple_SetItem(tuple, 2, repeated);
	return tuple;
}

static PyObject *list_of_rows(const struct rows *rows, const struct text *text)
{
	PyObject *list = PyList_New((Py_ssize_t)rows->n), *none = PyUnicode_FromStringAndSize("", 0);

	for (size_t i = 0; list && none && i < rows->n; i++) {
		PyObject *tuple = tuple_of_row(rows, i, text, list, none);

		if (!tuple) {
			Py_CLEAR(list);
			break;
		}
		PyList_SetItem(list, (Py_ssize_t)i, tuple);
	}
	if (!none)
		Py_CLEAR(list);
	Py_XDECREF(none);
	return list;
}

/* named_blocks(text, normalize, min_length): (48 bits of a block's hash in hex or "" if it is short, block, repeated) */
static PyObject *named_blocks(PyObject *module, PyObject *arguments)
{
	lanewise_dedup_options options = { .struct_size = sizeof options, .unit = LANEWISE_DEDUP_BLOCKS };
	lanewise_error error = { 0 };
	struct rows rows = { 0 };
	struct text text;
	PyObject *given, *list = NULL;
	lanewise_status status;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "UIO&", &given, &options.normalize, to_uint64, &options.min_length))
		return NULL;
	if (!text_of(given, &text))
		return NULL;
	if (text.n_bytes >= RELEASE_BYTES) {
		Py_BEGIN_ALLOW_THREADS status = list_rows(&options, &text, &rows, &error);
		Py_END_ALLOW_THREADS
	} else {
		status = list_rows(&options, &text, &rows, &error);
	}
	if (status != LANEWISE_OK)
		raise_status(status, &error);
	else
		list = list_of_rows(&rows, &text);
	free(rows.row);
	text_end(&text);
	return list;
}

/* ------------------------------------------------------------------- module */

static PyMethodDef methods[] = { { "connect", connect, METH_VARARGS, NULL },
	                         { "unique", unique, METH_VARARGS, NULL },
	                         { "named_blocks", named_blocks, METH_VARARGS, NULL },
	                         { NULL, NULL, 0, NULL } };

#define NAME(name) "lanewise_" #name " "

static struct PyModuleDef definition = { PyModuleDef_HEAD_INIT, "_dedup", NULL, -1, methods, NULL, NULL, NULL, NULL };

PyMODINIT_FUNC PyInit__dedup(void)
{
	PyObject *module = PyModule_Create(&definition);

	if (module && PyModule_AddStringConstant(module, "NEEDED", FUNCTIONS(NAME)) < 0)
		Py_CLEAR(module);
	return module;
}
