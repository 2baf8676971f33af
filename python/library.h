/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library's functions for a module in C, which defines FUNCTIONS(X), X for each name without lanewise_, before it
 * includes this. They are those of the module _lanewise, whose addresses connect() gets: there is one library in the
 * process, with one set of tiers.
 */
#define DECLARE(name) __typeof__(lanewise_##name) *name;
static struct {
	FUNCTIONS(DECLARE)
} library;

static PyObject *error_class; /* of the package, for what is wrong with the input */

/* connect(addresses, error_class): addresses by name. */
static PyObject *connect(PyObject *module, PyObject *arguments)
{
	PyObject *addresses, *class_of_errors;

	(void)module;
	if (!PyArg_ParseTuple(arguments, "OO", &addresses, &class_of_errors))
		return NULL;
#define CONNECT(name) \
	{ \
		PyObject *address = PyMapping_GetItemString(addresses, "lanewise_" #name); \
		void *p = address ? PyLong_AsVoidPtr(address) : NULL; \
\
		Py_XDECREF(address); \
		if (!p) \
			return PyErr_Occurred() ? NULL \
			                        : PyErr_Format(PyExc_ValueError, "no address of lanewise_" #name); \
		memcpy(&library.name, &p, sizeof p); \
	}
	FUNCTIONS(CONNECT)
	Py_INCREF(class_of_errors);
	Py_XDECREF(error_class);
	error_class = class_of_errors;
	Py_RETURN_NONE;
}
