// Exercises the tables that tell which CPUs exist: ACPI's MADT, else Intel's MultiProcessor Specification 1.4.
#include "kernel.h"

static bool sums_to_zero(const u8 *bytes, u64 length)
{
    u8 sum = 0;
    for (u64 i = 0; i < length; i++)
        sum += bytes[i];
    return sum == 0;
}

static bool same(const void *bytes, const char *text, int length)
{
    for (int i = 0; i < length; i++)
        if (((const char *)bytes)[i] != text[i])
            return false;
    return true;
}

// Both kinds of table start at a structure on a 16-byte boundary, in the EBDA's first KiB or in the BIOS area.
static u8 *find(const char *signature, int signatureLength, int structureLength)
{
    u64 ebda = (u64)*(volatile u16 *)physical(0x40e) << 4;
    u64 ranges[2][2] = {{ebda, ebda + 1024}, {0xe0000, 0x100000}};
    for (int range = 0; range < 2; range++) {
        if (ranges[range][0] < 0x400)
            continue;
        for (u64 address = ranges[range][0]; address < ranges[range][1]; address += 16) {
            u8 *candidate = physical(address);
            if (same(candidate, signature, signatureLength) && sums_to_zero(candidate, structureLength))
                return candidate;
        }
    }
    return NULL;
}

// ACPI 6.4, sections 5.2.5 (RSDP), 5.2.7 (RSDT) and 5.2.12 (MADT).
static int find_in_acpi(u8 apicIds[MAX_CPUS])
{
    u8 *rsdp = find("RSD PTR ", 8, 20);
    if (!rsdp)
        return 0;
    u8 *rsdt = physical(*(u32 *)(rsdp + 16));
    int count = 0;
    for (u32 offset = 36; offset + 4 <= *(u32 *)(rsdt + 4); offset += 4) {
        u8 *madt = physical(*(u32 *)(rsdt + offset));
        if (!same(madt, "APIC", 4))
            continue;
        u32 length = *(u32 *)(madt + 4);
        for (u8 *entry = madt + 44; entry < madt + length && entry[1] != 0; entry += entry[1])
            if (entry[0] == 0 && (entry[4] & 1) && count < MAX_CPUS) // a local APIC that is enabled
                apicIds[count++] = entry[3];
    }
    return count;
}

// MultiProcessor Specification 1.4, sections 4.1 (floating pointer) and 4.3.1 (processor entries).
static int find_in_mp_table(u8 apicIds[MAX_CPUS])
{
    u8 *pointer = find("_MP_", 4, 16);
    if (!pointer || *(u32 *)(pointer + 4) == 0)
        return 0;
    u8 *table = physical(*(u32 *)(pointer + 4));
    if (!same(table, "PCMP", 4))
        return 0;
    int count = 0;
    u8 *entry = table + 44;
    for (int i = *(u16 *)(table + 34); i > 0; i--) {
        if (entry[0] != 0)
            break; // processors come first
        if ((entry[3] & 1) && count < MAX_CPUS)
            apicIds[count++] = entry[1];
        entry += 20;
    }
    return count;
}

int firmware_find_cpus(u8 apicIds[MAX_CPUS])
{
    int count = find_in_acpi(apicIds);
    return count != 0 ? count : find_in_mp_table(apicIds);
}
