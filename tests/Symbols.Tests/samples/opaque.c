// The definition of a structure that types.c only declares, and another static variable of the same name as one there.
struct opaque { int inside; struct opaque *self; };
struct opaque opaque_object = { 5, &opaque_object };
static int hidden = 78;
int other_hidden(void) { return hidden; }
