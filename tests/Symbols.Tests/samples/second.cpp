// A second unit: shares a class template with the first one, and has a namespace with variables and enumerations.
namespace shapes {

template <typename T> struct pair_of {
    T first, second;
    T total() const { return first + second; }
    template <typename U> U scaled(U by) const { return static_cast<U>(total()) * by; }
};

enum class kind { round = 3, square };

struct counted {
    static int instances;
    struct inner { int depth; };
    inner place;
};

int counted::instances = 7;
kind last_kind = kind::square;

__attribute__((noinline)) int spread(int n)
{
    pair_of<int> p = { n, 3 };
    counted c = { { n } };
    return p.total() + c.place.depth + counted::instances;
}

}  // namespace shapes
