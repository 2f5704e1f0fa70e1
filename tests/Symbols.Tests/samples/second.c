// A second unit: shares types with the first one, and has a static function of the same name.
struct node { struct node *next; int value; };
enum colour { red = 1, green, blue = 40 };
typedef unsigned long counter_t;

counter_t counted;
enum colour last_colour = green;

static inline int square(int x) { return x * x - 1; }

__attribute__((noinline)) int length(struct node *list)
{
    int total = 0;
    for (; list; list = list->next)
        total += square(list->value);
    counted += (counter_t)total;
    return total;
}
