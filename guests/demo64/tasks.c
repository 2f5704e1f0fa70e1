// Exercises per-CPU run queues, work stealing, context switches with CR3 loads, and ring 3 tasks.
#include "tasks.h"

Cpu cpus[MAX_CPUS];
int cpuCount;
TCB tasks[MAX_TASKS];
volatile u64 tasksAlive;
static u8 kernelStacks[MAX_TASKS][8192] __attribute__((aligned(16)));

extern void user_main(u64 id, u64 rounds, u64 think);

static void RunQueue_append(RunQueue *queue, TCB *task)
{
    SpinLock_acquire(&queue->lock);
    task->nextReady = NULL;
    if (queue->tail)
        queue->tail->nextReady = task;
    else
        queue->head = task;
    queue->tail = task;
    queue->length++;
    SpinLock_release(&queue->lock);
}

static TCB *RunQueue_take(RunQueue *queue)
{
    if (queue->length == 0)
        return NULL; // looked at without the lock: whoever appends sends an interrupt, or comes back at the next tick
    SpinLock_acquire(&queue->lock);
    TCB *task = queue->head;
    if (task) {
        queue->head = task->nextReady;
        if (!queue->head)
            queue->tail = NULL;
        queue->length--;
    }
    SpinLock_release(&queue->lock);
    return task;
}

static TCB *steal(Cpu *thief)
{
    for (int i = 1; i < cpuCount; i++) {
        TCB *task = RunQueue_take(&cpus[(thief->index + i) % cpuCount].runQueue);
        if (task) {
            thief->steals++;
            return task;
        }
    }
    return NULL;
}

// Runs on the new task's stack. Only now may another CPU take the old task: until here its stack was in use.
void finish_switch(void)
{
    Cpu *cpu = this_cpu();
    TCB *previous = cpu->previous;
    cpu->previous = NULL;
    if (previous && previous != &cpu->idle && previous->state == TASK_READY)
        RunQueue_append(&cpu->runQueue, previous);
}

// Gives this CPU to the next ready task. Called with interrupts off, at a tick from user mode, on exit, and from the idle loop.
void schedule(void)
{
    Cpu *cpu = this_cpu();
    TCB *old = cpu->current;
    TCB *task = RunQueue_take(&cpu->runQueue);
    if (!task && (old == &cpu->idle || old->state == TASK_EXITED))
        task = steal(cpu);
    if (!task) {
        if (old->state != TASK_EXITED)
            return; // nobody else is ready: go on
        task = &cpu->idle;
    }

    if (old->state == TASK_RUNNING)
        old->state = TASK_READY;
    task->state = TASK_RUNNING;
    task->lastCpu = cpu->index;
    task->switches++;
    cpu->current = task;
    cpu->previous = old;
    cpu_set_kernel_stack(task->kernelStackTop);
    if (task->cr3 != old->cr3)
        load_cr3(task->cr3);
    switch_stacks(old, task);
    finish_switch();
}

void task_exit(u64 deposited)
{
    interrupts_off();
    TCB *task = current_task();
    task->deposited = deposited;
    task->state = TASK_EXITED;
    __atomic_sub_fetch(&tasksAlive, 1, __ATOMIC_ACQ_REL);
    schedule();
    panic("an exited task runs again");
}

// A new task starts in task_first_entry, which returns to user mode through the trap frame on its kernel stack.
static void task_create(u64 id)
{
    TCB *task = &tasks[id];
    task->id = id;
    task->cr3 = address_space_create();
    task->kernelStackTop = (u64)&kernelStacks[id][sizeof kernelStacks[id]];

    TrapFrame *frame = (TrapFrame *)(task->kernelStackTop - sizeof(TrapFrame));
    frame->rip = (u64)user_main;
    frame->cs = USER_CODE;
    frame->ss = USER_DATA;
    frame->rflags = 0x202; // interrupts on
    frame->rsp = USER_STACK_TOP - 8; // as if a CALL had pushed a return address
    frame->rdi = id;
    frame->rsi = options.rounds;
    frame->rdx = options.think;

    u64 *stack = (u64 *)frame;
    *--stack = (u64)task_first_entry;
    stack -= 6; // RBX, RBP, R12..R15, popped by switch_stacks
    task->kernelStackPointer = (u64)stack;
    task->state = TASK_READY;
    RunQueue_append(&cpus[id % cpuCount].runQueue, task);
}

void tasks_create(void)
{
    tasksAlive = options.tasks;
    for (u64 id = 0; id < options.tasks; id++)
        task_create(id);
    for (int i = 0; i < cpuCount; i++)
        if (&cpus[i] != this_cpu())
            apic_send(cpus[i].apicId, VECTOR_RESCHEDULE);
}

// What a CPU does when nothing is ready: it sleeps until an interrupt, then looks again.
void idle_loop(bool untilTasksAreDone)
{
    while (!untilTasksAreDone || tasksAlive != 0) {
        interrupts_off();
        schedule();
        interrupts_on_and_halt();
    }
}
