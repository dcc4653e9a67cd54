/* The fast path of a call: a callable that reads numbers and numpy arrays directly, packs them into the cells of the
 * one shim prototype, and calls it through the guard. It knows no language and no build.
 *
 *     Function   what a user calls. It finds the version in its slot, as the portable path does, and has an entry of
 *                it, or calls `_call`, the portable path; then it asks the version for an entry.
 *     Entry      how one function of one loaded library is called.
 *     Code       one loaded library. When it is retired its entries are dead, and it is let go of by the last call. */

#include "entry.h"

/* ------------------------------------------------------------------------------ Function */

typedef struct {
    PyObject_HEAD
    vectorcallfunc vectorcall;
    PyObject *slot, *name;
    Entry *entry;
    const void *version; /* whose entry it is; only compared, because a version retires its code before it is gone */
} Function;

/* SAFETY: the slot is of the type whose member descriptor has told the offset. */
static inline PyObject *serving(const Function *self) {
    return *(PyObject **)((char *)self->slot + here.version_offset);
}

/* `_call` drops the frames below it where the message says all, with `from None`: then its own goes too, which is ours. */
static void drop_own_frame(void) {
    PyObject *kind, *what, *where;
    PyErr_Fetch(&kind, &what, &where);
    const bool said = what != NULL && PyExceptionInstance_Check(what) && ((PyBaseExceptionObject *)what)->suppress_context;
    if (said && where != NULL && ((PyTracebackObject *)where)->tb_next == NULL) Py_CLEAR(where);
    PyErr_Restore(kind, what, where);
}

static PyObject *call_portable(Function *self, PyObject *const *args, size_t count, PyObject *names) {
    PyObject *portable = PyObject_GetAttr((PyObject *)self, here.portable_name);
    if (portable == NULL) return NULL;
    PyObject *value = PyObject_Vectorcall(portable, args, count & ~PY_VECTORCALL_ARGUMENTS_OFFSET, names);
    Py_DECREF(portable);
    if (value == NULL) drop_own_frame();
    return value;
}

/* After a call that went the portable way the version may have an entry. Why it has none is nobody's error, but an
 * interrupt that comes meanwhile is the user's. */
static PyObject *look_for_entry(Function *self, PyObject *value) {
    PyObject *kind, *what, *where, *version = serving(self);
    if (version == NULL || !here.enabled) return value;
    if (self->version == version && self->entry != NULL && self->entry->code->keeper != NULL) return value;
    PyErr_Fetch(&kind, &what, &where);
    Py_INCREF(version);
    PyObject *found = PyObject_CallMethodObjArgs(version, here.entry_name, self->name, NULL);
    PyObject *old = (PyObject *)self->entry;
    const bool is_entry = found != NULL && Py_IS_TYPE(found, here.entry_type);
    self->entry = is_entry ? (Entry *)Py_NewRef(found) : NULL;
    self->version = is_entry ? version : NULL;
    Py_XDECREF(old);
    Py_XDECREF(found);
    Py_DECREF(version);
    if (found == NULL && !PyErr_ExceptionMatches(PyExc_Exception)) {
        Py_XDECREF(kind);
        Py_XDECREF(what);
        Py_XDECREF(where);
        Py_XDECREF(value);
        return NULL;
    }
    PyErr_Restore(kind, what, where);
    return value;
}

static PyObject *function_call(PyObject *object, PyObject *const *args, size_t count, PyObject *names) {
    Function *self = (Function *)object;
    Entry *entry = self->entry;
    if (entry != NULL && self->version == serving(self) && names == NULL && here.enabled &&
        PyVectorcall_NARGS(count) == entry->parameter_count) {
        PyObject *value = entry_call(entry, args);
        if (value != NULL || PyErr_Occurred()) return value;
    }
    return look_for_entry(self, call_portable(self, args, count, names));
}

static PyObject *function_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    PyObject *slot, *name;
    (void)named;
    if (!PyArg_ParseTuple(args, "O!U:Function", here.slot_type, &slot, &name)) return NULL;
    Function *self = (Function *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->vectorcall = function_call;
    self->slot = Py_NewRef(slot);
    self->name = Py_NewRef(name);
    return (PyObject *)self;
}

static int function_traverse(Function *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->slot);
    return 0;
}

/* The slot is needed by whoever still calls; the entry leads to no cycle, but holds a library. */
static int function_clear(Function *self) {
    PyObject *entry = (PyObject *)self->entry;
    self->entry = NULL;
    self->version = NULL;
    Py_XDECREF(entry);
    return 0;
}

static void function_dealloc(Function *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    function_clear(self);
    Py_CLEAR(self->slot);
    Py_CLEAR(self->name);
    type->tp_free(self);
    Py_DECREF(type);
}

/* ------------------------------------------------------------------------------ module */

static PyMethodDef code_methods[] = {
    {"retire", (PyCFunction)code_retire, METH_NOARGS, "From now on its functions go the portable way."},
    {NULL, NULL, 0, NULL},
};
static PyType_Slot code_slots[] = {
    {Py_tp_new, code_new}, {Py_tp_dealloc, code_dealloc}, {Py_tp_methods, code_methods}, {0, NULL}};
static PyType_Spec code_spec = {"project_o_dispatch.Code", sizeof(Code), 0, Py_TPFLAGS_DEFAULT, code_slots};

static PyMemberDef entry_members[] = {
    {"short_calls", T_UINT, offsetof(Entry, short_calls), READONLY, "How many calls in a row were short."},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot entry_slots[] = {
    {Py_tp_new, entry_new}, {Py_tp_dealloc, entry_dealloc}, {Py_tp_members, entry_members}, {0, NULL}};
static PyType_Spec entry_spec = {"project_o_dispatch.Entry", sizeof(Entry), 0, Py_TPFLAGS_DEFAULT, entry_slots};

static PyMemberDef function_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Function, vectorcall), READONLY, NULL},
    {"_entry", T_OBJECT, offsetof(Function, entry), READONLY, "The entry that the next call may use."},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot function_slots[] = {
    {Py_tp_new, function_new},       {Py_tp_dealloc, function_dealloc}, {Py_tp_traverse, function_traverse},
    {Py_tp_clear, function_clear},   {Py_tp_call, PyVectorcall_Call},   {Py_tp_members, function_members},
    {0, NULL}};
static PyType_Spec function_spec = {
    "project_o_dispatch.Function", sizeof(Function), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL, function_slots};

/* let_go(): the address of the function that the guard calls while a call lasts. */
static PyObject *let_go_address(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    return PyLong_FromVoidPtr((void *)(uintptr_t)&let_go);
}

/* prepare(member, kept_bytes, kept_nanoseconds): `member` is the descriptor of the slot's attribute `_serving`. */
static PyObject *prepare(PyObject *module, PyObject *args) {
    PyObject *member;
    long long bytes, nanoseconds;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!LL:prepare", &PyMemberDescr_Type, &member, &bytes, &nanoseconds)) return NULL;
    const PyMemberDescrObject *described = (PyMemberDescrObject *)member;
    if (described->d_member->type != T_OBJECT_EX) {
        PyErr_SetString(PyExc_TypeError, "the attribute is not an object in a slot");
        return NULL;
    }
    here.version_offset = described->d_member->offset;
    Py_XSETREF(here.slot_type, (PyTypeObject *)Py_NewRef(PyDescr_TYPE(member)));
    here.kept_bytes = bytes;
    here.kept_nanoseconds = nanoseconds;
    here.enabled = true;
    Py_RETURN_NONE;
}

static PyObject *load_numpy(PyObject *module, PyObject *unused) {
    (void)module, (void)unused;
    if (!loads_numpy()) return NULL;
    Py_RETURN_NONE;
}

static PyObject *enable(PyObject *module, PyObject *wanted) {
    (void)module;
    const int truth = PyObject_IsTrue(wanted);
    if (truth < 0) return NULL;
    here.enabled = truth;
    Py_RETURN_NONE;
}

/* Before Python 3.12 a subclass of a type with this protocol does not have it, though its call is the same function.
 * Nobody may give the subclass another `__call__` then. */
static PyObject *adopt(PyObject *module, PyObject *subclass) {
    (void)module;
    PyTypeObject *type = (PyTypeObject *)subclass;
    if (!PyType_Check(subclass) || !PyType_IsSubtype(type, here.function_type) || type->tp_call != PyVectorcall_Call) {
        PyErr_SetString(PyExc_TypeError, "not a subclass that is called as Function is");
        return NULL;
    }
    type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_IMMUTABLETYPE;
    PyType_Modified(type);
    here.adopted = type; /* made once, and for good */
    return Py_NewRef(subclass);
}

/* A module's function is looked up before every call of it, mostly where it is in the module's own dictionary. With a
 * `__getattr__` in Python that takes as long as half of a call. */
static getattrofunc other_attribute;

#if PY_VERSION_HEX < 0x030C0000
/* What was found lately, by the version of the dictionary: no two states of any dictionaries have the same, so whoever has
 * that version now still holds what was found then. Names are held, or another one might come to lie where one was. */
#define FOUND_MAX 64
static struct { uint64_t version; PyObject *name, *function; } found_lately[FOUND_MAX];

static PyObject *attribute(PyObject *self, PyObject *name) {
    if (PyUnicode_CHECK_INTERNED(name) && name != here.slot_name) {
        PyObject **place = _PyObject_GetDictPtr(self), *own = place == NULL ? NULL : *place;
        if (own != NULL) {
            const uint64_t version = ((PyDictObject *)own)->ma_version_tag;
            const size_t at = (((uintptr_t)name >> 4) ^ version) % FOUND_MAX;
            if (found_lately[at].version == version && found_lately[at].name == name)
                return Py_NewRef(found_lately[at].function);
            PyObject *found = PyDict_GetItemWithError(own, name);
            if (found != NULL && Py_TYPE(found) == here.adopted) {
                Py_INCREF(found); /* before anything else is let go of, which may run anything */
                found_lately[at].version = version;
                found_lately[at].function = found;
                Py_XSETREF(found_lately[at].name, Py_NewRef(name));
                return found;
            }
            PyErr_Clear();
        }
    }
    return other_attribute(self, name);
}
#else
static PyObject *attribute(PyObject *self, PyObject *name) {
    if (PyUnicode_CHECK_INTERNED(name) && name != here.slot_name) {
        PyObject *own = PyObject_GenericGetDict(self, NULL); /* it may not have been made yet */
        PyObject *found = own == NULL ? NULL : Py_XNewRef(PyDict_GetItemWithError(own, name));
        Py_XDECREF(own);
        if (found != NULL && Py_TYPE(found) == here.adopted) return found;
        Py_XDECREF(found);
        PyErr_Clear();
    }
    return other_attribute(self, name);
}
#endif

static PyObject *look_up(PyObject *module, PyObject *type) {
    (void)module;
    if (!PyType_Check(type)) {
        PyErr_SetString(PyExc_TypeError, "look_up wants a class");
        return NULL;
    }
    if (((PyTypeObject *)type)->tp_getattro != attribute) {
        /* The first time alone: in a process with two dispatchers each would find the other's from the second time on, and
         * an attribute that neither has would be looked up in turns without end. */
        if (other_attribute == NULL) other_attribute = ((PyTypeObject *)type)->tp_getattro;
        ((PyTypeObject *)type)->tp_getattro = attribute;
        PyType_Modified((PyTypeObject *)type);
    }
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"prepare", prepare, METH_VARARGS, "Say where a slot keeps its version, and what keeps the interpreter's lock."},
    {"let_go", let_go_address, METH_NOARGS, "The address of what the guard calls while a call lasts."},
    {"load_numpy", load_numpy, METH_NOARGS, "Raise ImportError or RuntimeError if this is not for the numpy that is here."},
    {"enable", enable, METH_O, "Whether calls may go this way."},
    {"adopt", adopt, METH_O, "Make a subclass of Function as fast as it is."},
    {"look_up", look_up, METH_O, "Make a class find the functions in its objects' dictionaries at once."},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "project_o_dispatch", NULL, -1, functions, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_project_o_dispatch(void) {
    PyObject *module = PyModule_Create(&definition);
    here.portable_name = PyUnicode_InternFromString("_call");
    here.entry_name = PyUnicode_InternFromString("entry");
    here.slot_name = PyUnicode_InternFromString("slot");
    here.ended_name = PyUnicode_InternFromString("ended");
    here.code_type = (PyTypeObject *)PyType_FromSpec(&code_spec);
    here.entry_type = (PyTypeObject *)PyType_FromSpec(&entry_spec);
    here.function_type = (PyTypeObject *)PyType_FromSpec(&function_spec);
    if (module == NULL || !here.portable_name || !here.entry_name || !here.ended_name || !here.slot_name ||
        !here.code_type || !here.entry_type || !here.function_type || PyModule_AddType(module, here.code_type) < 0 ||
        PyModule_AddType(module, here.entry_type) < 0 || PyModule_AddType(module, here.function_type) < 0) {
        Py_XDECREF(module);
        return NULL;
    }
    return module;
}
