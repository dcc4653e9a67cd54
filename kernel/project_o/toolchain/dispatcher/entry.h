/* How one function of one loaded library is called: its code, the plan of its arguments and results, and the call.
 *
 * What the plan does not cover, and every error, goes the portable way: there is one place for each text. */

#include "arguments.h"
#include "results.h"

#include <structmember.h>
#include <time.h>

#ifdef Py_GIL_DISABLED
#error "the dispatcher counts on the interpreter's lock"
#endif

/* Keep in step with abi/guard.py and abi/plan.py. */
#define STATUS_OK 0
#define STATUS_LOOK (-8)
#define STATUS_STOPPED (-9)
#define FAULT_SIGNAL 2
#define FAULT_BYTES 1048
#define ARGUMENT_CELLS_MAX 48
#define RESULT_CELLS_MAX 24
#define PARAMETERS_MAX 16

#define SHORT_CALLS 16      /* so many in a row were short before one keeps the interpreter's lock */
#define CALLS_A_SAMPLE 256  /* of those that keep it, every so many-th is measured again */

typedef int32_t (*shim)(const uint64_t *, uint64_t *);
typedef int32_t (*guard)(shim, uint64_t *, uint64_t *, void *, const uint64_t *);

static struct {
    bool enabled;
    Py_ssize_t version_offset; /* where a slot keeps the version that serves */
    PyTypeObject *slot_type;
    int64_t kept_bytes, kept_nanoseconds; /* arguments and calls up to these keep the interpreter's lock */
    PyObject *portable_name, *entry_name, *ended_name, *slot_name;
    PyTypeObject *adopted, *code_type, *entry_type, *function_type;
} here;

/* ------------------------------------------------------------------------------ Code */

typedef struct {
    PyObject_HEAD
    PyObject *keeper; /* as long as somebody holds it, the library stays mapped; NULL: retired */
    guard call;       /* NULL: without a guard, to measure what it costs */
    void (*release)(uint64_t);
    uint64_t text[2];
} Code;

static PyObject *code_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    PyObject *keeper;
    unsigned long long call, release, low, high;
    (void)named;
    if (!PyArg_ParseTuple(args, "OKKKK:Code", &keeper, &call, &release, &low, &high)) return NULL;
    Code *self = (Code *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->keeper = Py_NewRef(keeper);
    /* SAFETY: the host says where these functions are, and the keeper keeps them there. */
    self->call = (guard)(uintptr_t)call;
    self->release = (void (*)(uint64_t))(uintptr_t)release;
    self->text[0] = low;
    self->text[1] = high;
    return (PyObject *)self;
}

static PyObject *code_retire(Code *self, PyObject *unused) {
    (void)unused;
    Py_CLEAR(self->keeper);
    Py_RETURN_NONE;
}

static void code_dealloc(Code *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_CLEAR(self->keeper);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ------------------------------------------------------------------------------ Entry */

typedef struct {
    PyObject_HEAD
    Code *code;
    PyObject *name;
    shim address;
    PyTypeObject *make;
    int32_t parameter_count, result_count, handle_cell;
    bool always_release;
    uint32_t short_calls, calls;
    struct parameter parameters[PARAMETERS_MAX];
    struct result results[PARAMETERS_MAX];
} Entry;

static bool plan_fits(const Entry *self, Py_ssize_t parameter_bytes, Py_ssize_t result_bytes) {
    Py_ssize_t argument_cells = 0, result_cells = 0;
    if (parameter_bytes != self->parameter_count * (Py_ssize_t)sizeof(struct parameter)) return false;
    if (result_bytes != self->result_count * (Py_ssize_t)sizeof(struct result)) return false;
    for (int32_t i = 0; i < self->parameter_count; i++) argument_cells += self->parameters[i].cells;
    for (int32_t i = 0; i < self->result_count; i++) result_cells += self->results[i].cells;
    return argument_cells <= ARGUMENT_CELLS_MAX && result_cells < RESULT_CELLS_MAX - 1 &&
           self->handle_cell == result_cells;
}

/* Where this numpy does not fit, its table is there all the same after the first try. */
static bool loads_numpy(void) {
    static bool fits;
    if (!fits) fits = _import_array() == 0;
    return fits;
}

/* Entry(code, name, address, parameters, results, make, handle_cell, always_release, arrays) */
static PyObject *entry_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    PyObject *code, *name, *make;
    unsigned long long address;
    Py_buffer parameters, results;
    int handle_cell, always_release, arrays;
    (void)named;
    if (!PyArg_ParseTuple(args, "O!UKy*y*Oipp:Entry", here.code_type, &code, &name, &address, &parameters, &results, &make,
                          &handle_cell, &always_release, &arrays))
        return NULL;
    Entry *self = NULL;
    if (arrays && !loads_numpy()) goto done;
    self = (Entry *)type->tp_alloc(type, 0);
    if (self == NULL) goto done;
    self->parameter_count = (int32_t)(parameters.len / (Py_ssize_t)sizeof(struct parameter));
    self->result_count = (int32_t)(results.len / (Py_ssize_t)sizeof(struct result));
    self->handle_cell = handle_cell;
    if (self->parameter_count <= PARAMETERS_MAX && self->result_count <= PARAMETERS_MAX) {
        memcpy(self->parameters, parameters.buf, (size_t)parameters.len);
        memcpy(self->results, results.buf, (size_t)results.len);
    }
    const bool made = make == Py_None || (PyType_Check(make) && PyType_IsSubtype((PyTypeObject *)make, &PyTuple_Type));
    if (self->parameter_count > PARAMETERS_MAX || self->result_count > PARAMETERS_MAX || !made ||
        !plan_fits(self, parameters.len, results.len)) {
        PyErr_SetString(PyExc_ValueError, "no such plan");
        Py_CLEAR(self);
        goto done;
    }
    self->code = (Code *)Py_NewRef(code);
    self->name = Py_NewRef(name);
    /* SAFETY: the host says where the shim is, and the code's keeper keeps it there. */
    self->address = (shim)(uintptr_t)address;
    self->make = make == Py_None ? NULL : (PyTypeObject *)Py_NewRef(make);
    self->always_release = always_release;
done:
    PyBuffer_Release(&parameters);
    PyBuffer_Release(&results);
    return (PyObject *)self;
}

static void entry_dealloc(Entry *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF(self->code);
    Py_XDECREF(self->name);
    Py_XDECREF(self->make);
    type->tp_free(self);
    Py_DECREF(type);
}

/* A call that keeps the interpreter's lock and then lasts: the guard's timer lets go of the lock for it, from a signal
 * handler. That interrupts the cell's own code and nothing else, so no lock of the interpreter's is in use right then.
 * `record` says whose call it is: one inside of it may have let go of the lock by other means. */
struct kept {
    const void *record;
    PyThreadState *volatile released;
};
static __thread struct kept *volatile keeping __attribute__((tls_model("initial-exec")));

static void let_go(const void *record) {
    struct kept *call = keeping;
    if (call != NULL && call->record == record && call->released == NULL) call->released = PyEval_SaveThread();
}

static int64_t clock_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The coarse clock after the last call that was not measured, of any function: where it has gone on, that call may have
 * been long, or there was a pause. It is read once a call, because two readings are a tenth of the call. */
static int64_t last_tick;

/* The guarded call, with or without the interpreter's lock. A call that keeps it lets no other thread of Python run, so
 * only those keep it that were short, a number of times, and on small arguments. */
static int32_t run(Entry *self, uint64_t *cells, uint64_t *ret, void *fault, size_t bytes) {
    const Code *code = self->code;
    const bool may_keep = !self->always_release && bytes <= (size_t)here.kept_bytes;
    const bool measured = may_keep && (self->short_calls < SHORT_CALLS || self->calls++ % CALLS_A_SAMPLE == 0);
    const bool keeps = may_keep && self->short_calls >= SHORT_CALLS;
    PyThreadState *thread = keeps ? NULL : PyEval_SaveThread();
    struct kept kept = {fault, NULL}, *outer = keeping;
    keeping = keeps ? &kept : outer;
    const int64_t began = measured ? clock_of(CLOCK_MONOTONIC) : 0;
    int32_t status = code->call != NULL ? code->call(self->address, cells, ret, fault, code->text)
                                        : self->address(cells, ret);
    const int64_t ended = clock_of(measured ? CLOCK_MONOTONIC : CLOCK_MONOTONIC_COARSE);
    keeping = outer;
    if (kept.released != NULL) thread = kept.released;
    if (thread != NULL) PyEval_RestoreThread(thread);
    if (kept.released != NULL || (measured && ended - began > here.kept_nanoseconds)) self->short_calls = 0;
    else if (measured && self->short_calls < SHORT_CALLS) self->short_calls++;
    else if (keeps && !measured && ended != last_tick) self->short_calls = SHORT_CALLS - 1; /* the next one is measured */
    if (!measured) last_tick = ended;
    return status;
}

/* The exception for a call that did not end well, made by the library's keeper: it knows lines and languages. */
static PyObject *raise_end(Entry *self, PyObject *keeper, int32_t status, const uint64_t *ret, const char *fault) {
    const bool stopped = status == STATUS_STOPPED;
    PyObject *told = stopped ? PyBytes_FromStringAndSize(fault, FAULT_BYTES)
                             : PyBytes_FromStringAndSize(ret[1] ? (const char *)ret[0] : "", (Py_ssize_t)ret[1]);
    /* After a hardware fault its globals may be torn, and another thread must not find its way back in. */
    if (stopped && *(const int32_t *)fault == FAULT_SIGNAL) Py_CLEAR(self->code->keeper);
    if (told == NULL) return NULL;
    PyObject *error = PyObject_CallMethodObjArgs(keeper, here.ended_name, self->name, stopped ? Py_True : Py_False, told, NULL);
    Py_DECREF(told);
    if (error == NULL) return NULL;
    PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_DECREF(error);
    return NULL;
}

/* The result; NULL with an exception, or NULL without one where the portable path has to make this call. */
static PyObject *entry_call(Entry *self, PyObject *const *args) {
    uint64_t cells[ARGUMENT_CELLS_MAX], ret[RESULT_CELLS_MAX];
    _Alignas(8) char fault[FAULT_BYTES];
    size_t bytes = 0;
    if (!take_all(self->parameters, self->parameter_count, args, cells, &bytes)) return NULL;
    PyObject *keeper = self->code->keeper, *value = NULL;
    if (keeper == NULL) return NULL;
    Py_INCREF(keeper);
    Py_INCREF(self);
    int32_t status;
    while ((status = run(self, cells, ret, fault, bytes)) == STATUS_LOOK) {
        if (PyErr_CheckSignals() != 0) goto done;
    }
    if (status == STATUS_OK) {
        value = give_all(self->results, self->result_count, self->make, ret);
        if (ret[self->handle_cell] != 0) self->code->release(ret[self->handle_cell]);
    } else {
        value = raise_end(self, keeper, status, ret, fault);
    }
done:
    Py_DECREF(self);
    Py_DECREF(keeper);
    return value;
}
