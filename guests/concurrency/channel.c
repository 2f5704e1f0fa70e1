// Exercises message channels of cache lines between vCPUs; with BROKEN_LOCK a message is published before its payload.
#include "guest.h"

#define SLOTS 4ul
#define WORDS 7ul
#define MESSAGES 60ul

// A cache line. Written word by word, the sequence number last: who sees the number sees the rest (Baumann et al., "The Multikernel", SOSP 2009).
typedef struct __attribute__((aligned(64))) Message {
    volatile u64 payload[WORDS];
    volatile u64 sequence; // from 1; that of another round: nothing new is here
} Message;

typedef struct __attribute__((aligned(64))) Channel {
    Message ring[SLOTS];
    volatile u64 acknowledged; // messages that the receiver has read: the sender's credit is SLOTS more than these
    volatile u64 sent;         // the sender's own count
    volatile u64 received;     // the receiver's own count
    volatile u64 fullStalls, emptyStalls;
    u64 sender, receiver;      // vCPUs
} Channel;

Channel channels[MAX_CPUS]; // channels[n] begins at vCPU n and ends at the next
const char programName[] = "channel";

static u64 word_of(u64 sender, u64 sequence, u64 index) { return sender << 48 | sequence << 16 | index; }

bool channel_send(Channel *channel)
{
    u64 sequence = channel->sent + 1;
    if (sequence > channel->acknowledged + SLOTS) {
        channel->fullStalls++;
        return false;
    }
    Message *message = &channel->ring[channel->sent % SLOTS];
#ifdef BROKEN_LOCK
    message->sequence = sequence; // the receiver may look now
#endif
    for (u64 i = 0; i < WORDS; i++)
        message->payload[i] = word_of(channel->sender, sequence, i);
#ifndef BROKEN_LOCK
    message->sequence = sequence;
#endif
    channel->sent = sequence;
    return true;
}

bool channel_receive(Channel *channel)
{
    u64 sequence = channel->received + 1;
    Message *message = &channel->ring[channel->received % SLOTS];
    if (message->sequence != sequence) {
        channel->emptyStalls++;
        return false;
    }
    for (u64 i = 0; i < WORDS; i++) {
        u64 word = message->payload[i];
        if (word != word_of(channel->sender, sequence, i))
            BROKEN("vCPU %lu reads word %lu of message %lu from vCPU %lu, and it is %lx", channel->receiver, i, sequence, channel->sender, word);
    }
    channel->received = sequence;
    channel->acknowledged = sequence;
    return true;
}

void program_start(void)
{
    for (u64 cpu = 0; cpu < (u64)cpuCount; cpu++) {
        channels[cpu].sender = cpu;
        channels[cpu].receiver = (cpu + 1) % (u64)cpuCount;
    }
}

void program_run(u64 cpu)
{
    Channel *out = &channels[cpu], *in = &channels[(cpu + (u64)cpuCount - 1) % (u64)cpuCount];
    u64 turns = 0;
    while (out->sent < MESSAGES || in->received < MESSAGES) {
        bool any = out->sent < MESSAGES && channel_send(out);
        any |= in->received < MESSAGES && channel_receive(in);
        if (any)
            turns = 0;
        else
            wait_turn(&turns, "its neighbours");
    }
}

void program_check(void)
{
    for (u64 cpu = 0; cpu < (u64)cpuCount; cpu++) {
        Channel *channel = &channels[cpu];
        if (channel->sent != MESSAGES || channel->received != MESSAGES || channel->acknowledged != MESSAGES)
            BROKEN("vCPU %lu has sent %lu, of which %lu were received", cpu, channel->sent, channel->received);
    }
}
