// C++ variables: types inside of functions, templates, namespaces, references, virtual bases, pointers to members, exceptions, lambdas.
#include <memory>
int sink;
extern "C" __attribute__((noinline)) void stop(int where)
{
    sink += where;
    __asm__ volatile("" ::: "memory");
}

namespace shapes {
enum class kind : unsigned char { round = 1, square = 200 };
namespace { int hidden = 31; }
struct point { int x, y; };
struct base { int id = 5; virtual ~base() {} virtual int area() const { return 0; } };
struct left : virtual base { int l = 6; };
struct right : virtual base { short r = 7; };
struct diamond : left, right { long own = 8; int area() const override { return 9; } };
template <typename T, int N> struct box { T content[N]; T *first() { return content; } };
template <typename T> struct outer_box { struct node { T value; node *next; } head; };
class counter {
public:
    static int total;
    explicit counter(int start) : value(start) {}
    int add(int by) { value += by; total += by; stop(1); return value; }
private:
    int value;
    unsigned low : 3 = 5;
    int high : 5 = -3;
};
int counter::total = 40;
template <typename T> __attribute__((noinline)) T twice(const T &value, T by)
{
    T result = value + by;
    stop(2);
    return result + value;
}
__attribute__((noinline)) int walk(const base &object, const point *points, int count)
{
    struct step { int dx; union { int whole; char part; }; } steps[2] = { { 1, { 2 } }, { 3, { 4 } } };
    int sum = object.id;
    for (int i = 0; i < count; i++) {
        const point &p = points[i];
        sum += p.x * steps[i & 1].dx;
        stop(3);
    }
    return sum + object.area();
}
}

static __attribute__((noinline)) int references(int &changed, int &&moved, shapes::kind kind)
{
    int shapes::point::*member = &shapes::point::y;
    int (shapes::counter::*method)(int) = &shapes::counter::add;
    const shapes::point origin = { 3, 4 };
    int &again = changed;
    bool truth = changed > 0;
    char16_t wide = u'x';
    std::nullptr_t nothing = nullptr;
    auto lambda = [&changed, moved](int by) { int inside = changed + by; stop(4); return inside + moved; };
    int result = lambda(2) + origin.*member + (int)kind + truth + wide;
    shapes::counter counter(result);
    result += (counter.*method)(1);
    try {
        int thrown = result + again;
        stop(5);
        if (thrown) throw thrown;
    } catch (int caught) {
        stop(6);
        result += caught;
    }
    return result + (nothing == nullptr);
}

int main()
{
    shapes::diamond diamond;
    shapes::box<short, 3> box = { { 1, 2, 3 } };
    shapes::outer_box<double> nested = { { 2.5, nullptr } };
    shapes::point points[2] = { { 1, 2 }, { 3, 4 } };
    shapes::base *pointer = &diamond;
    int result = shapes::walk(diamond, points, 2) + shapes::twice(3, 4) + (int)shapes::twice(1.5, 2.5) + shapes::hidden;
    result += references(points[0].x, 11, shapes::kind::square) + *box.first() + (int)nested.head.value + pointer->area();
    stop(7);
    sink += result;
    return 0;
}
