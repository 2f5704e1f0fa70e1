// Namespaces, templates, methods inside and outside of their class, lambdas and exceptions.
namespace shapes {

template <typename T> struct pair_of {
    T first, second;
    T total() const { return first + second; }
    template <typename U> U scaled(U by) const { return static_cast<U>(total()) * by; }
};

class shape {
public:
    virtual ~shape() {}
    virtual int area() const = 0;
    int doubled() const { return area() * 2; }
};

class rectangle : public shape {
public:
    rectangle(int w, int h) : width(w), height(h) {}
    int area() const override;
private:
    int width, height;
};

int rectangle::area() const
{
    return width * height;
}

}  // namespace shapes

static volatile int sink;

static int checked(int value)
{
    if (value > 100)
        throw value;
    return value;
}

template <typename F> static int apply(F f, int n)
{
    int total = 0;
    for (int i = 0; i < n; i++)
        total += f(i);
    return total;
}

int main()
{
    shapes::rectangle r(3, 4);
    shapes::pair_of<int> p = { r.doubled(), 2 };
    try {
        sink = checked(p.total());
        sink = checked(apply([&](int i) { return p.scaled(i); }, 20));
    } catch (int caught) {
        sink = caught;
    }
    return 0;
}
