/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of numbers, and lists of such lists, as float32 in memory: what cffi cannot reach. Limited API of CPython 3.10. */
#include <Python.h>

/* Borrowed item i of a list or tuple. */
static PyObject *item(PyObject *sequence, Py_ssize_t i)
{
	return PyList_Check(sequence) ? PyList_GetItem(sequence, i) : PyTuple_GetItem(sequence, i);
}

static int is_sequence(PyObject *object) { return PyList_Check(object) || PyTuple_Check(object); }

static Py_ssize_t size_of(PyObject *sequence)
{
	return PyList_Check(sequence) ? PyList_Size(sequence) : PyTuple_Size(sequence);
}

/* Fills out[0 ... n) from a list or tuple that must have n numbers; 0 with an exception set if it does not. */
static int fill(PyObject *sequence, Py_ssize_t row, Py_ssize_t n, float *out)
{
	if (!is_sequence(sequence)) {
		PyErr_Format(PyExc_ValueError, "row %zd is no list or tuple", row);
		return 0;
	}
	if (size_of(sequence) != n) {
		PyErr_Format(PyExc_ValueError, "row %zd has %zd numbers, the first has %zd", row, size_of(sequence), n);
		return 0;
	}
	for (Py_ssize_t i = 0; i < n; i++) {
		/* A number's __float__ may run any code, and that may shorten the list. */
		PyObject *number = i < size_of(sequence) ? item(sequence, i) : NULL;
		double value = number ? PyFloat_AsDouble(number) : -1;

		if (value == -1 && (!number || PyErr_Occurred())) {
			PyErr_Clear();
			if (row < 0)
				PyErr_Format(PyExc_ValueError, "element %zd is no number", i);
			else
				PyErr_Format(PyExc_ValueError, "row %zd, element %zd is no number", row, i);
			return 0;
		}
		out[i] = (float)value;
	}
	return 1;
}

/* (bytes of float32, rows or -1 if the argument was a flat list, numbers a row). */
static PyObject *floats(PyObject *module, PyObject *argument)
{
	Py_ssize_t n_rows = -1, n;
	PyObject *bytes;
	float *out;

	(void)module;
	if (!is_sequence(argument)) {
		PyErr_SetString(PyExc_TypeError, "a list or tuple is needed");
		return NULL;
	}
	n = size_of(argument);
	if (n > 0 && is_sequence(item(argument, 0))) {
		n_rows = n;
		n = size_of(item(argument, 0));
	}
	if (n > 0 && (n_rows < 0 ? 1 : n_rows) > PY_SSIZE_T_MAX / (Py_ssize_t)sizeof *out / n)
		return PyErr_NoMemory();
	bytes = PyBytes_FromStringAndSize(NULL, (n_rows < 0 ? 1 : n_rows) * n * (Py_ssize_t)sizeof *out);
	if (!bytes)
		return NULL;
	out = (float *)(void *)PyBytes_AsString(bytes);
	if (n_rows < 0) {
		if (!fill(argument, -1, n, out))
			goto failed;
	} else {
		for (Py_ssize_t row = 0; row < n_rows; row++) {
			PyObject *values = row < size_of(argument) ? item(argument, row) : NULL;
			int filled;

			if (!values) {
				PyErr_SetString(PyExc_ValueError, "the list changed while it was read");
				goto failed;
			}
			Py_INCREF(values);
			filled = fill(values, row, n, out + row * n);
			Py_DECREF(values);
			if (!filled)
				goto failed;
		}
	}
	return Py_BuildValue("Nnn", bytes, n_rows, n);
failed:
	Py_DECREF(bytes);
	return NULL;
}

static PyMethodDef methods[] = { { "floats", floats, METH_O, "Lists of numbers as float32." },
	                         { NULL, NULL, 0, NULL } };
static PyModuleDef module = { PyModuleDef_HEAD_INIT, .m_name = "_ingest", .m_size = 0, .m_methods = methods };

PyMODINIT_FUNC PyInit__ingest(void) { return PyModule_Create(&module); }
