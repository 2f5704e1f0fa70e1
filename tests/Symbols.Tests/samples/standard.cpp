// Containers of the standard library.
#include <map>
#include <memory>
#include <string>
#include <vector>

extern "C" __attribute__((noinline)) void stop(int where)
{
    __asm__ volatile("" : : "r"(where) : "memory");
}

namespace scope {
struct point { int x, y; };
int origin = 3;
int work()
{
    std::vector<int> numbers = { 1, 2, 3 };
    std::vector<point> points = { { 1, 2 }, { 3, 4 } };
    std::vector<int> none;
    std::string text = "short";
    std::string longer = "a text that does not fit into the object itself";
    std::map<int, short> map = { { 1, 10 }, { 2, 20 } };
    auto shared = std::make_shared<int>(7);
    point *pointer = &points[1];
    stop(1);
    return numbers[0] + points[0].x + (int)none.size() + (int)text.size() + (int)longer.size() + map[1] + *shared + pointer->y + origin;
}
}

int main()
{
    return scope::work() == 0;
}
