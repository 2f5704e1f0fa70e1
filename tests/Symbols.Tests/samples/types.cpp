// Classes, references, pointers to members, scoped enumerations, namespaces, templates and static members.
#include <cstddef>
namespace outer {
inline namespace versioned { struct old { int value; }; }
namespace { struct nameless { int inside; }; nameless nameless_one = { 3 }; }
enum class scoped : unsigned char { first = 1, last = 200 };
enum loose : long { far_away = 1l << 40 };
template <typename T, int N> struct box { T content[N]; using element = T; };
struct base_one { int a; virtual ~base_one() {} virtual int get() { return a; } };
struct base_two { short b; };
class derived : public base_one, protected base_two {
public:
    static int count;
    static const int limit = 12;
    int get() override { return a + c; }
    int method(int by) const;
    struct nested { char letter; } inner;
private:
    int c : 5;
    mutable bool d : 1;
};
int derived::count = 4;
int derived::method(int by) const { return c * by; }
struct virtual_base { int v; };
struct left : virtual virtual_base { int l; };
struct right : virtual virtual_base { int r; };
struct diamond : left, right { int own; };
int global_in_namespace = 9;
}
outer::derived derived_one;
outer::box<int, 3> box_one = { { 1, 2, 3 } };
outer::box<outer::scoped, 2> scoped_box;
outer::scoped scoped_one = outer::scoped::last;
outer::loose loose_one = outer::far_away;
outer::versioned::old old_one;
outer::diamond diamond_one;
int outer::base_one::*member_pointer = &outer::base_one::a;
int (outer::derived::*method_pointer)(int) const = &outer::derived::method;
int plain = 5;
int &reference = plain;
int &&rvalue = 6;
std::nullptr_t nothing;
char16_t sixteen = u'x';
char32_t thirtytwo = U'y';
const int constant = 3;
int main()
{
    return derived_one.method(plain) + derived_one.get() + rvalue + constant + outer::nameless_one.inside + (method_pointer == nullptr)
        + outer::derived::limit;
}
