/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of numbers, and lists of such lists, as float32 in memory: what cffi cannot reach. Limited API of CPython 3.10. */
#include <Python.h>
#include <string.h>

/*
 * What a float holds, and where a list has its elements. The limited API wants a call for each, which is most of the time;
 * CPython 3.10 to 3.14 have them at these places. Whether this one has is tried when the module is loaded.
 */
static int float_is_known, list_is_known;

static double float_at(PyObject *number)
{
	double value;

	memcpy(&value, (const char *)number + sizeof(PyObject), sizeof value);
	return value;
}

static PyObject **elements_of(PyObject *list)
{
	PyObject **elements;

	memcpy(&elements, (const char *)list + sizeof(PyVarObject), sizeof elements);
	return elements;
}

static void learn_layout(void)
{
	PyObject *number = PyFloat_FromDouble(-1234.5625), *list = number ? PyList_New(0) : NULL;
	Py_ssize_t float_size = 0, list_size = 0;
	PyObject *size;

	size = PyObject_GetAttrString((PyObject *)&PyFloat_Type, "__basicsize__");
	float_size = size ? PyLong_AsSsize_t(size) : 0;
	Py_XDECREF(size);
	size = PyObject_GetAttrString((PyObject *)&PyList_Type, "__basicsize__");
	list_size = size ? PyLong_AsSsize_t(size) : 0;
	Py_XDECREF(size);
	if (list && PyList_Append(list, number) == 0 && PyList_Append(list, list) == 0) {
		float_is_known = float_size == sizeof(PyObject) + sizeof(double) && float_at(number) == -1234.5625;
		list_is_known = list_size == sizeof(PyVarObject) + sizeof(PyObject **) + sizeof(Py_ssize_t) &&
		                elements_of(list)[0] == number && elements_of(list)[1] == list;
		PyList_SetSlice(list, 0, 2, NULL); /* or it would hold itself */
	}
	Py_XDECREF(list);
	Py_XDECREF(number);
	PyErr_Clear();
}

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

/* How many elements from the first on are floats and nothing else; these go to out. No code of others runs here. */
static Py_ssize_t fill_floats(PyObject *list, Py_ssize_t n, float *out)
{
	PyObject **elements;
	Py_ssize_t i = 0;

	if (!float_is_known || !list_is_known || !PyList_Check(list) || n == 0)
		return 0;
	elements = elements_of(list);
	while (i < n && Py_IS_TYPE(elements[i], &PyFloat_Type)) {
		out[i] = (float)float_at(elements[i]);
		i++;
	}
	return i;
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
	for (Py_ssize_t i = fill_floats(sequence, n, out); i < n; i++) {
		/* A number's __float__ may run any code, and that may shorten the list, or be interrupted. */
		PyObject *number = i < size_of(sequence) ? item(sequence, i) : NULL;
		double value;

		Py_XINCREF(number);
		value = number ? PyFloat_AsDouble(number) : -1;
		Py_XDECREF(number);
		if (value == -1 && (!number || PyErr_Occurred())) {
			if (number && !PyErr_ExceptionMatches(PyExc_Exception))
				return 0;
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

PyMODINIT_FUNC PyInit__ingest(void)
{
	learn_layout();
	return PyModule_Create(&module);
}
