/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps calls on one object apart. The library's objects are for one thread at a time, and Python's threads run side by
 * side while C code does; so a call that comes while another is under way on the same object raises an exception. It does not
 * wait: the other one may be the call from which this one comes, by way of a callback, a signal handler or a finalizer.
 *
 *     guard = Guard("SeenSet")            reading = guard.reading()
 *     with guard: ...                     changes the object: no other call beside this one
 *     with reading: ...                   reads it: beside others that read
 *
 * Entered and left with the GIL held. In C, as no signal may come between entering and what follows, and since the shortest
 * calls take less than a microsecond. Limited API of CPython 3.10.
 */
#include <Python.h>
#include <structmember.h>

typedef struct {
	PyObject_HEAD PyObject *name;
	Py_ssize_t n_inside; /* calls that read, or CHANGING */
	unsigned long long n_changes;
} Guard;

typedef struct {
	PyObject_HEAD Guard *guard;
} Reading;

enum { CHANGING = -1 };

static PyTypeObject *guard_type, *reading_type;

static PyObject *refuse(const Guard *guard)
{
	return PyErr_Format(
	        PyExc_RuntimeError,
	        "%U: in use by another thread, or by the call from which this one comes; threads that share it "
	        "have to hold a lock during calls",
	        guard->name);
}

static void *allocate(PyTypeObject *type)
{
	allocfunc alloc = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);

	return alloc(type, 0);
}

static void release(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);
	freefunc free_object = (freefunc)PyType_GetSlot(type, Py_tp_free);

	free_object(self);
	Py_DECREF(type);
}

/* ------------------------------------------------------------------ Guard */

static PyObject *guard_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords)
{
	PyObject *name;
	Guard *guard;

	(void)keywords;
	if (!PyArg_ParseTuple(arguments, "U", &name))
		return NULL;
	guard = allocate(type);
	if (guard) {
		Py_INCREF(name);
		guard->name = name;
	}
	return (PyObject *)guard;
}

static void guard_dealloc(PyObject *self)
{
	Py_XDECREF(((Guard *)self)->name);
	release(self);
}

static PyObject *guard_enter(PyObject *self, PyObject *none)
{
	Guard *guard = (Guard *)self;

	(void)none;
	if (guard->n_inside != 0)
		return refuse(guard);
	guard->n_inside = CHANGING;
	guard->n_changes++;
	Py_RETURN_NONE;
}

static PyObject *guard_exit(PyObject *self, PyObject *const *arguments, Py_ssize_t n_arguments)
{
	(void)arguments, (void)n_arguments;
	((Guard *)self)->n_inside = 0;
	Py_RETURN_NONE;
}

static PyObject *guard_reading(PyObject *self, PyObject *none)
{
	Reading *reading = allocate(reading_type);

	(void)none;
	if (reading) {
		Py_INCREF(self);
		reading->guard = (Guard *)self;
	}
	return (PyObject *)reading;
}

/* ---------------------------------------------------------------- Reading */

static void reading_dealloc(PyObject *self)
{
	Py_XDECREF(((Reading *)self)->guard);
	release(self);
}

static PyObject *reading_enter(PyObject *self, PyObject *none)
{
	Guard *guard = ((Reading *)self)->guard;

	(void)none;
	if (guard->n_inside == CHANGING)
		return refuse(guard);
	guard->n_inside++;
	Py_RETURN_NONE;
}

static PyObject *reading_exit(PyObject *self, PyObject *const *arguments, Py_ssize_t n_arguments)
{
	(void)arguments, (void)n_arguments;
	((Reading *)self)->guard->n_inside--;
	Py_RETURN_NONE;
}

/* ------------------------------------------------------------------ module */

static PyMethodDef guard_methods[] = {
	{ "__enter__", guard_enter, METH_NOARGS, NULL },
	{ "__exit__", (PyCFunction)(void (*)(void))guard_exit, METH_FASTCALL, NULL },
	{ "reading", guard_reading, METH_NOARGS, "What calls enter that only read." },
	{ NULL, NULL, 0, NULL },
};
static PyMemberDef guard_members[] = {
	{ "n_changes", T_ULONGLONG, offsetof(Guard, n_changes), READONLY, "How often it was entered for a change." },
	{ NULL, 0, 0, 0, NULL },
};
static PyType_Slot guard_slots[] = { { Py_tp_new, guard_new },
	                             { Py_tp_dealloc, guard_dealloc },
	                             { Py_tp_methods, guard_methods },
	                             { Py_tp_members, guard_members },
	                             { 0, NULL } };
static PyType_Spec guard_spec = { "lanewise._guard.Guard", sizeof(Guard), 0, Py_TPFLAGS_DEFAULT, guard_slots };

static PyMethodDef reading_methods[] = {
	{ "__enter__", reading_enter, METH_NOARGS, NULL },
	{ "__exit__", (PyCFunction)(void (*)(void))reading_exit, METH_FASTCALL, NULL },
	{ NULL, NULL, 0, NULL },
};
static PyType_Slot reading_slots[] = { { Py_tp_dealloc, reading_dealloc },
	                               { Py_tp_methods, reading_methods },
	                               { 0, NULL } };
static PyType_Spec reading_spec = { "lanewise._guard.Reading", sizeof(Reading), 0,
	                            Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, reading_slots };

static PyModuleDef module = { PyModuleDef_HEAD_INIT, .m_name = "_guard", .m_size = -1 };

PyMODINIT_FUNC PyInit__guard(void)
{
	PyObject *made = PyModule_Create(&module);

	guard_type = (PyTypeObject *)PyType_FromSpec(&guard_spec);
	reading_type = (PyTypeObject *)PyType_FromSpec(&reading_spec);
	if (!made || !guard_type || !reading_type)
		return NULL;
	Py_INCREF(guard_type);
	if (PyModule_AddObject(made, "Guard", (PyObject *)guard_type) < 0)
		return NULL;
	return made;
}
