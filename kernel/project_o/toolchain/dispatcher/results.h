/* The cells of a result -> Python values: numbers, text, new numpy arrays, and tuples of them. */

/* Keep in step with abi/plan.py. */
enum { RESULT_VOID = 1, RESULT_BOOL, RESULT_SIGNED, RESULT_UNSIGNED, RESULT_FLOAT, RESULT_SLICE, RESULT_TEXT };

struct result {
    int32_t kind, flags;
    int32_t type_number; /* numpy's, of the elements of a slice */
    int32_t bits;        /* of a number; of a slice of rows how many numbers each has, of any other slice 0 */
    int32_t cells;       /* how many this result takes */
};

static PyObject *give_array(const struct result *r, const uint64_t *cells) {
    npy_intp shape[2] = {(npy_intp)cells[1], r->bits};
    PyObject *array = PyArray_SimpleNew(r->bits != 0 ? 2 : 1, shape, r->type_number);
    if (array == NULL) return NULL;
    /* SAFETY: the shim says that this many elements are there, until the call's memory is released. */
    if (shape[0] > 0)
        memcpy(PyArray_DATA((PyArrayObject *)array), (const void *)cells[0], (size_t)PyArray_NBYTES((PyArrayObject *)array));
    return array;
}

static PyObject *give_text(const uint64_t *cells) {
    const char *text = cells[1] > 0 ? (const char *)cells[0] : "";
    PyObject *value = PyUnicode_DecodeUTF8(text, (Py_ssize_t)cells[1], NULL);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return value;
    PyErr_Clear();
    return PyBytes_FromStringAndSize(text, (Py_ssize_t)cells[1]);
}

static inline PyObject *give_value(const struct result *r, const uint64_t *cells) {
    if (r->flags & FLAG_OPTIONAL) {
        if (cells[0] == 0) Py_RETURN_NONE;
        cells++;
    }
    const int unused = 64 - r->bits;
    switch (r->kind) {
    case RESULT_VOID: Py_RETURN_NONE;
    case RESULT_BOOL: return PyBool_FromLong((long)(cells[0] & 1));
    case RESULT_SIGNED: return PyLong_FromLongLong((int64_t)(cells[0] << unused) >> unused);
    case RESULT_UNSIGNED: return PyLong_FromUnsignedLongLong(cells[0] << unused >> unused);
    case RESULT_FLOAT: {
        double number;
        memcpy(&number, cells, sizeof number);
        return PyFloat_FromDouble(number);
    }
    case RESULT_SLICE: return give_array(r, cells);
    case RESULT_TEXT: return give_text(cells);
    default: PyErr_SetString(PyExc_SystemError, "a plan that nobody has made"); return NULL;
    }
}

/* `make` is NULL for a single value, else `tuple` or a subclass that adds names. */
static PyObject *give_all(const struct result *r, Py_ssize_t count, PyTypeObject *make, const uint64_t *cells) {
    if (make == NULL) return give_value(r, cells);
    PyObject *items = PyTuple_New(count);
    if (items == NULL) return NULL;
    for (Py_ssize_t i = 0; i < count; i++, r++) {
        PyObject *item = give_value(r, cells);
        if (item == NULL) {
            Py_DECREF(items);
            return NULL;
        }
        PyTuple_SET_ITEM(items, i, item);
        cells += r->cells;
    }
    if (make == &PyTuple_Type) return items;
    PyObject *arguments = PyTuple_Pack(1, items);
    Py_DECREF(items);
    if (arguments == NULL) return NULL;
    PyObject *named = PyTuple_Type.tp_new(make, arguments, NULL);
    Py_DECREF(arguments);
    return named;
}
