using System;
using System.Collections.Generic;
using Iced.Intel;
using Vmm.Cpu;
using Vmm.Memory;
using Xunit;
using static Iced.Intel.AssemblerRegisters;
using static Vmm.Tests.Engines.PagedPrograms;

namespace Vmm.Tests.Engines;

/// <summary>
/// Calls, returns and computed jumps in generated code against the interpreter, after every number of instructions: what a return finds beside its call's is what the guest
/// has made of it, however the code that goes on there was known.
/// </summary>
public sealed class ReturnTests
{
    // Runs end before they are taken over by generated code if they are shorter than its margin.
    private const int Shortest = 60, Longest = 700;

    public static TheoryData<string, int, int> Programs()
    {
        var all = new TheoryData<string, int, int>();
        foreach (string name in s_programs.Keys)
        {
            // Translated at once, block by block; and late, when what follows is known: as traces.
            foreach (int warmAt in (int[])[1, 3])
            {
                all.Add(name, 64, warmAt);
                if (!name.StartsWith("64: ", StringComparison.Ordinal)) all.Add(name, 32, warmAt);
            }
        }
        return all;
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void Generated_code_is_where_the_interpreter_is_after_each_instruction(string name, int bitness, int warmAt)
    {
        Dictionary<ulong, byte[]> code = s_programs[name](bitness == 64);
        var expected = new List<string>();
        using (TestMachine machine = Machine(bitness, code))
        {
            expected.Add(Describe(machine));
            // One at a time: the interpreter as it is defined.
            while (expected.Count <= Longest)
            {
                bool faulted = machine.Run(1) == 0;
                if (faulted || machine.Vcpu.State.Activity != VcpuActivity.Running) break;
                expected.Add(Describe(machine));
            }
        }
        int last = expected.Count - 1;
        Assert.InRange(last, Shortest, Longest);
        for (int limit = Shortest; limit <= last; limit++)
        {
            using TestMachine machine = Machine(bitness, code, warmAt);
            Assert.Equal((ulong)limit, machine.Run((ulong)limit));
            Assert.Equal(expected[limit], Describe(machine));
            // And on from there, with code that knows its way.
            int next = Math.Min(last, limit + 90);
            Assert.Equal((ulong)(next - limit), machine.Run((ulong)(next - limit)));
            Assert.Equal(expected[next], Describe(machine));
        }
    }

    private static readonly Dictionary<string, Func<bool, Dictionary<ulong, byte[]>>> s_programs = new()
    {
        ["recursion from two places"] = is64 => At(is64, a =>
        {
            var function = a.CreateLabel();
            var leaf = a.CreateLabel();
            a.mov(ebx, 5);
            a.call(function);
            a.hlt();
            a.Label(ref function);
            a.dec(ebx);
            a.js(leaf);
            a.call(function);
            a.add(eax, 3);
            a.call(function);
            a.lea(eax, AddressOf(is64, 1));
            a.Label(ref leaf);
            a.inc(ebx);
            a.ret();
        }),
        ["recursion deeper than a page of the stack"] = is64 => At(is64, a =>
        {
            var function = a.CreateLabel();
            var leaf = a.CreateLabel();
            a.mov(ebx, 80);
            a.call(function);
            a.hlt();
            a.Label(ref function);
            Move(a, is64, -256);
            a.dec(ebx);
            a.je(leaf);
            a.call(function);
            a.add(eax, ebx);
            a.Label(ref leaf);
            a.inc(ebx);
            Move(a, is64, 256);
            a.ret();
        }),
        ["the instruction that is returned to is changed"] = is64 => At(is64, (a, addressOf) =>
        {
            var function = a.CreateLabel();
            var again = a.CreateLabel();
            var behind = a.CreateLabel();
            a.mov(ecx, 30);
            a.Label(ref again);
            a.call(function);
            a.Label(ref behind);
            a.mov(eax, 7);
            a.add(edx, eax);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
            a.Label(ref function);
            a.test(ecx, 4);
            var not = a.CreateLabel();
            a.je(not);
            a.mov(ebx, addressOf(behind));
            if (is64) a.inc(__dword_ptr[rbx + 1]);
            else a.inc(__dword_ptr[ebx + 1]);
            a.Label(ref not);
            a.ret();
        }),
        ["returns to addresses that were put there"] = is64 => At(is64, (a, addressOf) =>
        {
            var function = a.CreateLabel();
            var again = a.CreateLabel();
            var odd = a.CreateLabel();
            var goOn = a.CreateLabel();
            var not = a.CreateLabel();
            a.mov(ecx, 30);
            a.Label(ref again);
            a.call(function);
            a.add(eax, 1);
            a.jmp(goOn);
            a.Label(ref odd);
            a.add(eax, 100);
            a.Label(ref goOn);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
            a.Label(ref function);
            a.test(ecx, 5);
            a.je(not);
            a.mov(ebx, addressOf(odd));
            if (is64) a.mov(__qword_ptr[rsp], rbx);
            else a.mov(__dword_ptr[esp], ebx);
            a.Label(ref not);
            a.ret();
        }),
        ["two tasks with a stack each"] = is64 => At(is64, (a, addressOf) =>
        {
            var first = a.CreateLabel();
            var second = a.CreateLabel();
            var again = a.CreateLabel();
            var switches = a.CreateLabel();
            a.jmp(first);
            a.Label(ref second);
            a.call(switches);
            a.sub(eax, 1);
            a.call(switches);
            a.xor(eax, 0x55);
            a.jmp(second);
            a.Label(ref switches);
            if (is64) a.xchg(rsp, rsi);
            else a.xchg(esp, esi);
            a.ret();
            a.Label(ref first);
            a.mov(ecx, 15);
            // The second stack holds where the second task begins.
            a.mov(ebx, addressOf(second));
            if (is64) a.mov(__qword_ptr[(long)OtherStack - 8], rbx);
            else a.mov(__dword_ptr[(int)OtherStack - 4], ebx);
            a.mov(esi, (int)OtherStack - (is64 ? 8 : 4));
            a.Label(ref again);
            a.call(switches);
            a.add(eax, 3);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
        }),
        ["returns that take arguments off"] = is64 => At(is64, a =>
        {
            var function = a.CreateLabel();
            var again = a.CreateLabel();
            a.mov(ecx, 30);
            a.Label(ref again);
            if (is64) a.push(rcx);
            else a.push(ecx);
            a.call(function);
            a.add(eax, ecx);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
            a.Label(ref function);
            a.add(edx, eax);
            a.ret((short)(is64 ? 8 : 4));
        }),
        ["jumps through a register and through memory"] = is64 => At(is64, (a, addressOf) =>
        {
            var first = a.CreateLabel();
            var again = a.CreateLabel();
            var one = a.CreateLabel();
            var two = a.CreateLabel();
            var not = a.CreateLabel();
            var goOn = a.CreateLabel();
            a.jmp(first);
            a.Label(ref goOn);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
            a.Label(ref one);
            a.add(eax, 5);
            a.Label(ref two);
            a.add(eax, 2);
            a.mov(ebx, addressOf(goOn));
            if (is64)
            {
                a.mov(__qword_ptr[(long)Data], rbx);
                a.jmp(__qword_ptr[(long)Data]);
            }
            else
            {
                a.mov(__dword_ptr[(int)Data], ebx);
                a.jmp(__dword_ptr[(int)Data]);
            }
            a.Label(ref first);
            a.mov(ecx, 40);
            a.Label(ref again);
            a.mov(ebx, addressOf(one));
            a.cmp(ecx, 20);
            a.jge(not);
            a.mov(ebx, addressOf(two));
            a.Label(ref not);
            if (is64) a.jmp(rbx);
            else a.jmp(ebx);
        }),
        ["calls on a page that INVLPG maps elsewhere"] = is64 => Remapped(is64, byCr3: false),
        ["calls on a page that CR3 maps elsewhere"] = is64 => Remapped(is64, byCr3: true),
        ["64: a page of code at two addresses"] = _ => new Dictionary<ulong, byte[]>
        {
            [CodeAddress] = Assemble(true, CodeAddress, a =>
            {
                var again = a.CreateLabel();
                a.mov(ecx, 20);
                a.mov(__qword_ptr[(long)Table + 8 * (long)(Moving >> 12)], (int)First | 3);
                a.mov(__qword_ptr[(long)Table + 8 * (long)((Moving >> 12) + 1)], (int)First | 3);
                a.Label(ref again);
                a.call(Moving);
                a.call(Moving + 0x1000);
                a.dec(ecx);
                a.jne(again);
                a.hlt();
            }),
            [First] = Caller(true, 1),
        },
        ["rotations by CL behind other flags"] = is64 => At(is64, a =>
        {
            var again = a.CreateLabel();
            a.mov(ecx, 40);
            a.mov(eax, 0x1234567);
            a.mov(edx, unchecked((int)0x89ABCDEF));
            a.Label(ref again);
            Split(a, () => a.cmp(eax, edx), () => a.dec(ebx));
            a.rol(eax, cl);
            Observe(a);
            Split(a, () => a.add(edx, eax), () => a.inc(ebx));
            a.ror(edx, cl);
            Observe(a);
            Split(a, () => a.cmp(eax, edx), () => a.inc(ebx));
            a.rol(eax, 3);
            Observe(a);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
        }),
        ["64: rotations of wide and of other registers by CL"] = _ => At(true, a =>
        {
            var again = a.CreateLabel();
            a.mov(ecx, 70);
            a.mov(rax, 0x0123456789ABCDEF);
            a.mov(r9, unchecked((long)0xFEDCBA9876543210));
            a.mov(r10, r9);
            a.Label(ref again);
            a.ror(rax, cl);
            Observe(a);
            a.rol(r9, cl);
            Observe(a);
            a.rol(r10d, cl);
            a.ror(r9d, cl);
            a.add(rax, r9);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
        }),
    };

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void A_return_to_no_address_faults_with_the_stack_as_it_was(int warmAt)
    {
        Dictionary<ulong, byte[]> code = At(true, a =>
        {
            var function = a.CreateLabel();
            var again = a.CreateLabel();
            var not = a.CreateLabel();
            a.mov(ecx, 200);
            a.Label(ref again);
            a.call(function);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
            a.Label(ref function);
            a.cmp(ecx, 1);
            a.jne(not);
            a.mov(rbx, 0x8000_0000_0000);
            a.mov(__qword_ptr[rsp], rbx);
            a.Label(ref not);
            a.ret();
        });
        using TestMachine machine = Machine(64, code, warmAt);
        Assert.True(machine.RunToFault(100_000));
        ref VcpuState s = ref machine.Vcpu.State;
        Assert.Equal((StackTop - 8, 1UL), (s.Rsp, s.Rcx));
        Assert.Equal(0xC3, machine.Memory.Read<byte>(new GuestPhysicalAddress(s.Rip)));
    }

    // A page that calls itself, mapped to two places by turns; what they add differs.
    private static Dictionary<ulong, byte[]> Remapped(bool is64, bool byCr3) => new()
    {
        [CodeAddress] = Assemble(is64, CodeAddress, a =>
        {
            var again = a.CreateLabel();
            long entry = (long)Table + (is64 ? 8 : 4) * (long)(Moving >> 12);
            a.mov(ecx, 20);
            a.mov(edi, (int)First | 3);
            a.mov(esi, (int)Second | 3);
            a.Label(ref again);
            a.call(Moving);
            a.test(ecx, 1);
            var not = a.CreateLabel();
            a.jne(not);
            a.xchg(edi, esi);
            if (is64) a.mov(__dword_ptr[entry], edi);
            else a.mov(__dword_ptr[(int)entry], edi);
            if (is64)
            {
                if (byCr3)
                {
                    a.mov(rax, cr3);
                    a.mov(cr3, rax);
                }
                else a.invlpg(__byte_ptr[(long)Moving]);
            }
            else if (byCr3)
            {
                a.mov(eax, cr3);
                a.mov(cr3, eax);
            }
            else a.invlpg(__byte_ptr[(int)Moving]);
            a.Label(ref not);
            a.dec(ecx);
            a.jne(again);
            a.hlt();
        }),
        [First] = Caller(is64, 1),
        [Second] = Caller(is64, 1000),
    };

    private static byte[] Caller(bool is64, int adds) => Assemble(is64, Moving, a =>
    {
        var function = a.CreateLabel();
        a.call(function);
        a.add(edx, adds);
        a.call(function);
        a.ret();
        a.Label(ref function);
        a.add(edx, adds);
        a.ret();
    });

    /// <summary>Each ends a block of its own.</summary>
    private static void Split(Assembler a, params Action[] instructions)
    {
        foreach (Action instruction in instructions)
        {
            var next = a.CreateLabel();
            instruction();
            a.jmp(next);
            a.nop();
            a.Label(ref next);
        }
    }

    /// <summary>Sums up the flags that rotations change, and ZF.</summary>
    private static void Observe(Assembler a)
    {
        a.seto(bl);
        a.setb(bh);
        a.lea(ebp, __dword_ptr[ebp + ebx]);
        a.sete(bl);
        a.lea(ebp, __dword_ptr[ebx + ebp * 2]);
    }

    private static AssemblerMemoryOperand AddressOf(bool is64, int more) => is64 ? __[rax + more] : __[eax + more];

    private static void Move(Assembler a, bool is64, int by)
    {
        if (is64) a.add(rsp, by);
        else a.add(esp, by);
    }
}
