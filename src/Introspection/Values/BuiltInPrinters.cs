namespace Introspection.Values;

/// <summary>Printers for what every Linux kernel has, and for the standard libraries of C++ and Rust.</summary>
internal static class BuiltInPrinters
{
    /// <summary>A printer file.</summary>
    public const string Json = """
        {
            "printers": [
                { "type": "struct list_head", "list": { "first": "next", "next": "node->next", "until": "node == &self" } },
                { "type": "struct hlist_head", "list": { "first": "first", "next": "node->next" } },
                { "type": "struct rb_root", "tree": { "root": "rb_node", "left": "node->rb_left", "right": "node->rb_right" } },
                { "type": "struct rb_root_cached", "tree": { "root": "rb_root.rb_node", "left": "node->rb_left", "right": "node->rb_right" } },
                { "type": "atomic_t", "text": "{counter}" },
                { "type": "atomic64_t", "text": "{counter}" },
                { "type": "atomic_long_t", "text": "{counter}" },
                { "type": "refcount_t", "text": "{refs.counter}" },
                { "type": "struct refcount_struct", "text": "{refs.counter}" },
                { "type": "struct kref", "text": "{refcount.refs.counter}" },
                { "type": "struct qstr", "text": "{name[0..len],s}" },
                { "type": "kuid_t", "text": "{val}" },
                { "type": "kgid_t", "text": "{val}" },
                { "type": "struct cpumask", "bits": "bits" },
                { "type": "nodemask_t", "bits": "bits" },
                { "member": "struct page.flags", "flags": { "type": "enum pageflags", "areBitNumbers": true } },
                { "member": "struct folio.flags", "flags": { "type": "enum pageflags", "areBitNumbers": true } },
                { "type": "alloc::rc::Rc<*", "text": "{ptr.pointer->value}",
                  "children": [ { "name": "value", "expression": "ptr.pointer->value" }, { "name": "strong", "expression": "ptr.pointer->strong" },
                                { "name": "weak", "expression": "ptr.pointer->weak" } ] },
                { "type": "alloc::sync::Arc<*", "text": "{ptr.pointer->data}",
                  "children": [ { "name": "value", "expression": "ptr.pointer->data" }, { "name": "strong", "expression": "ptr.pointer->strong" },
                                { "name": "weak", "expression": "ptr.pointer->weak" } ] },
                { "type": "core::sync::atomic::Atomic*", "text": "{v.value}" },
                { "type": "core::cell::Cell<*", "text": "{value.value}" },
            ]
        }
        """;
}
