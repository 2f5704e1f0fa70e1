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
                { "type": "std::vector<*", "array": { "first": "_M_impl._M_start", "count": "_M_impl._M_finish - _M_impl._M_start" } },
                { "type": "std::*basic_string<char,*", "text": "{_M_dataplus._M_p[0.._M_string_length],s}" },
                { "type": "std::shared_ptr<*", "text": "{_M_ptr}",
                  "children": [ { "name": "value", "expression": "*_M_ptr" }, { "name": "uses", "expression": "_M_refcount._M_pi->_M_use_count" } ] },
                { "type": "std::unique_ptr<*", "text": "{*(void **)&self}" },
                { "type": "std::map<*", "text": "{(int)_M_t._M_impl._M_node_count} elements",
                  "tree": { "root": "_M_t._M_impl._M_header._M_parent", "left": "node->_M_left", "right": "node->_M_right" } },
                { "type": "std::set<*", "text": "{(int)_M_t._M_impl._M_node_count} elements",
                  "tree": { "root": "_M_t._M_impl._M_header._M_parent", "left": "node->_M_left", "right": "node->_M_right" } },
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
