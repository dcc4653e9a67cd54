/* Python values -> the cells of a call, for the types that need no Python code: numbers, text, numpy arrays.
 *
 * Nothing here raises. Whatever is not exactly what the plan expects is refused with `false`, and the portable path,
 * which knows every conversion and every message, has the call. So both paths cannot disagree. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#define NPY_TARGET_VERSION NPY_1_25_API_VERSION /* that of 1.26, too: what a wheel brings loads with any numpy since */
#include <numpy/arrayobject.h>

/* Keep in step with abi/plan.py. */
enum { ARG_BOOL = 1, ARG_SIGNED, ARG_UNSIGNED, ARG_FLOAT, ARG_SLICE, ARG_TEXT, ARG_TERMINATED, ARG_MATRIX, ARG_VIEW };
enum { FLAG_WRITES = 1, FLAG_OPTIONAL = 2 };

struct parameter {
    int32_t kind, flags;
    int32_t type_number; /* numpy's, of the elements */
    int32_t cells;       /* how many this parameter takes */
    int64_t low;         /* the smallest number that fits */
    uint64_t high;       /* the largest; of a slice of rows how many numbers each has, of any other slice 0 */
};

/* Types that are not heap types convert in C, and run no Python code while the other arguments are already packed. */
static inline bool converts_in_c(PyObject *value) { return !(Py_TYPE(value)->tp_flags & Py_TPFLAGS_HEAPTYPE); }

static bool take_float(PyObject *value, uint64_t *cell) {
    double number;
    if (PyFloat_CheckExact(value)) {
        number = PyFloat_AS_DOUBLE(value);
    } else if (PyLong_Check(value) ||
               (converts_in_c(value) && Py_TYPE(value)->tp_as_number && Py_TYPE(value)->tp_as_number->nb_float)) {
        number = PyFloat_AsDouble(value);
        if (number == -1.0 && PyErr_Occurred()) {
            PyErr_Clear();
            return false;
        }
    } else {
        return false;
    }
    memcpy(cell, &number, sizeof number);
    return true;
}

static bool in_range(const struct parameter *p, PyObject *number, uint64_t *cell) {
    if (p->kind == ARG_SIGNED) {
        int overflow;
        const int64_t signed_number = PyLong_AsLongLongAndOverflow(number, &overflow);
        if (overflow != 0 || signed_number < p->low || signed_number > (int64_t)p->high) return false;
        *cell = (uint64_t)signed_number;
        return true;
    }
    const uint64_t unsigned_number = PyLong_AsUnsignedLongLong(number);
    if (unsigned_number == UINT64_MAX && PyErr_Occurred()) {
        PyErr_Clear();
        return false;
    }
    *cell = unsigned_number;
    return unsigned_number <= p->high;
}

static bool take_int(const struct parameter *p, PyObject *value, uint64_t *cell) {
    if (PyLong_Check(value)) return in_range(p, value, cell);
    if (!converts_in_c(value) || !PyIndex_Check(value)) return false;
    PyObject *number = PyNumber_Index(value);
    if (number == NULL) {
        PyErr_Clear();
        return false;
    }
    const bool fits = in_range(p, number, cell);
    Py_DECREF(number);
    return fits;
}

/* Whether each byte is one of the two that a bool is in compiled code. In numpy's views it may be any. */
static bool are_bools(PyArrayObject *array) {
    if (!PyArray_CHKFLAGS(array, NPY_ARRAY_C_CONTIGUOUS)) return false; /* the portable path looks at the others */
    const unsigned char *bytes = PyArray_DATA(array);
    unsigned char all = 0;
    for (npy_intp i = 0, count = PyArray_SIZE(array); i < count; i++) all |= bytes[i];
    return all <= 1;
}

/* The array behind a value, if its elements are what the function is compiled for. What is more than an array may have
 * a mask. */
static inline PyArrayObject *fitting_array(const struct parameter *p, PyObject *value, int flags) {
    if (!PyArray_CheckExact(value)) return NULL;
    PyArrayObject *array = (PyArrayObject *)value;
    if (PyArray_TYPE(array) != p->type_number || !PyArray_ISNOTSWAPPED(array)) return NULL;
    if (p->flags & FLAG_WRITES) flags |= NPY_ARRAY_WRITEABLE;
    if (!PyArray_CHKFLAGS(array, flags)) return NULL;
    return p->type_number != NPY_BOOL || are_bools(array) ? array : NULL;
}

static inline bool take_slice(const struct parameter *p, PyObject *value, uint64_t *cells, size_t *bytes) {
    PyArrayObject *array = fitting_array(p, value, NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED);
    if (array == NULL) return false;
    cells[0] = (uint64_t)PyArray_DATA(array);
    if (p->high != 0) {
        if (PyArray_NDIM(array) != 2 || (uint64_t)PyArray_DIM(array, 1) != p->high) return false;
        cells[1] = (uint64_t)PyArray_DIM(array, 0);
    } else {
        cells[1] = (uint64_t)PyArray_SIZE(array);
    }
    *bytes += (size_t)PyArray_NBYTES(array);
    return true;
}

/* str and bytes end in a zero byte of their own. A str keeps its UTF-8 form as long as it lives. */
static bool take_text(const struct parameter *p, PyObject *value, uint64_t *cells, size_t *bytes) {
    const char *text;
    Py_ssize_t length;
    if (PyUnicode_Check(value)) {
        text = PyUnicode_AsUTF8AndSize(value, &length);
        if (text == NULL) {
            PyErr_Clear();
            return false;
        }
    } else if (PyBytes_Check(value)) {
        text = PyBytes_AS_STRING(value);
        length = PyBytes_GET_SIZE(value);
    } else {
        return p->kind == ARG_TEXT && take_slice(p, value, cells, bytes);
    }
    if (p->kind == ARG_TERMINATED && memchr(text, 0, (size_t)length) != NULL) return false;
    cells[0] = (uint64_t)text;
    cells[1] = (uint64_t)length;
    *bytes += (size_t)length;
    return true;
}

static bool take_matrix(const struct parameter *p, PyObject *value, uint64_t *cells, size_t *bytes) {
    PyArrayObject *array = fitting_array(p, value, NPY_ARRAY_ALIGNED);
    if (array == NULL || PyArray_NDIM(array) != 2) return false;
    const npy_intp item = PyArray_ITEMSIZE(array), rows = PyArray_DIM(array, 0), columns = PyArray_DIM(array, 1);
    const npy_intp row_bytes = rows > 1 && columns > 0 ? PyArray_STRIDE(array, 0) : columns * item;
    if (columns > 1 && rows > 0 && PyArray_STRIDE(array, 1) != item) return false;
    if (row_bytes < columns * item || row_bytes % item != 0) return false;
    cells[0] = (uint64_t)PyArray_DATA(array);
    cells[1] = (uint64_t)rows;
    cells[2] = (uint64_t)columns;
    cells[3] = (uint64_t)(row_bytes / item);
    *bytes += (size_t)PyArray_NBYTES(array);
    return true;
}

/* Any strides, as long as they are whole elements: address, extents, strides. */
static bool take_view(const struct parameter *p, PyObject *value, uint64_t *cells, size_t *bytes) {
    PyArrayObject *array = fitting_array(p, value, NPY_ARRAY_ALIGNED);
    const int dimensions = (p->cells - (p->flags & FLAG_OPTIONAL ? 1 : 0) - 1) / 2;
    if (array == NULL || PyArray_NDIM(array) != dimensions) return false;
    const npy_intp item = PyArray_ITEMSIZE(array);
    cells[0] = (uint64_t)PyArray_DATA(array);
    for (int i = 0; i < dimensions; i++) {
        if (PyArray_STRIDE(array, i) % item != 0) return false;
        cells[1 + i] = (uint64_t)PyArray_DIM(array, i);
        cells[1 + dimensions + i] = (uint64_t)(PyArray_STRIDE(array, i) / item);
    }
    *bytes += (size_t)PyArray_NBYTES(array);
    return true;
}

static inline bool take_value(const struct parameter *p, PyObject *value, uint64_t *cells, size_t *bytes) {
    switch (p->kind) {
    case ARG_BOOL:
        if (!PyBool_Check(value)) return false;
        cells[0] = value == Py_True;
        return true;
    case ARG_SIGNED:
    case ARG_UNSIGNED: return take_int(p, value, cells);
    case ARG_FLOAT: return take_float(value, cells);
    case ARG_SLICE: return take_slice(p, value, cells, bytes);
    case ARG_TEXT:
    case ARG_TERMINATED: return take_text(p, value, cells, bytes);
    case ARG_MATRIX: return take_matrix(p, value, cells, bytes);
    case ARG_VIEW: return take_view(p, value, cells, bytes);
    default: return false;
    }
}

/* All arguments into `cells`, and how many bytes of memory they are. */
static inline bool take_all(const struct parameter *p, Py_ssize_t count, PyObject *const *values, uint64_t *cells,
                            size_t *bytes) {
    for (Py_ssize_t i = 0; i < count; i++, p++) {
        if (p->flags & FLAG_OPTIONAL) {
            if (values[i] == Py_None) {
                memset(cells, 0, (size_t)p->cells * sizeof *cells);
            } else {
                cells[0] = 1;
                if (!take_value(p, values[i], cells + 1, bytes)) return false;
            }
        } else if (!take_value(p, values[i], cells, bytes)) {
            return false;
        }
        cells += p->cells;
    }
    return true;
}
