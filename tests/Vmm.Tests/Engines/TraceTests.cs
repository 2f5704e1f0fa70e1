using System;
using System.Collections.Generic;
using Iced.Intel;
using Vmm.Tests.TestKit;
using Xunit;
using static Iced.Intel.AssemblerRegisters;
using static Vmm.Tests.Engines.PagedPrograms;

namespace Vmm.Tests.Engines;

/// <summary>
/// Random programs of jumps, calls, returns that are tampered with, and stores to their own code, all on one page, so that generated code is made from traces: against the
/// interpreter. <c>TTVM_FUZZ_SEED</c> and <c>TTVM_FUZZ_COUNT</c> choose where to start and how many.
/// </summary>
public sealed class TraceTests
{
    private const int DefaultCount = 400, Rounds = 40, Functions = 5;

    [Theory]
    [InlineData(64)]
    [InlineData(32)]
    public void Random_programs_are_where_the_interpreter_is(int bitness)
    {
        ulong first = Setting("TTVM_FUZZ_SEED", 1), count = Setting("TTVM_FUZZ_COUNT", DefaultCount);
        for (ulong seed = first; seed < first + count; seed++)
        {
            var random = new SeededRandom(seed);
            Dictionary<ulong, byte[]> code = new Program(bitness == 64, random).Assembled;
            var stops = new List<(ulong Count, string State)>();
            using (TestMachine machine = Machine(bitness, code))
            {
                ulong done = 0;
                for (int stop = 0; stop < 8; stop++)
                {
                    done += machine.Run((ulong)random.Between(65, 300));
                    stops.Add((done, Describe(machine)));
                }
            }
            using TestMachine direct = Machine(bitness, code, 3);
            Check(seed, stops[^1], direct.Run(stops[^1].Count), direct);
            foreach (int warmAt in (int[])[1, 2, 4])
            {
                using TestMachine machine = Machine(bitness, code, warmAt);
                ulong done = 0;
                foreach ((ulong Count, string State) stop in stops)
                {
                    done += machine.Run(stop.Count - done);
                    Check(seed, stop, done, machine);
                }
            }
        }
    }

    [Fact]
    public void Traces_are_made()
    {
        Dictionary<ulong, byte[]> code = new Program(true, new SeededRandom(1)).Assembled;
        using TestMachine machine = Machine(64, code, 3);
        machine.Run(2000);
        Assert.True(machine.TraceCount > 0);
    }

    private static void Check(ulong seed, (ulong Count, string State) expected, ulong count, TestMachine machine)
    {
        Assert.True(expected.Count == count, $"seed {seed}: stopped at {count}, not at {expected.Count}");
        string state = Describe(machine);
        Assert.True(expected.State == state, $"seed {seed}, after {count} instructions:\n{expected.State}\n{state}");
    }

    private static ulong Setting(string name, ulong otherwise) => ulong.TryParse(Environment.GetEnvironmentVariable(name), out ulong value) ? value : otherwise;

    /// <summary>Rounds of calls to functions, which call only those behind them.</summary>
    private sealed class Program(bool is64, SeededRandom random)
    {
        private readonly ulong _seed = random.Next();
        private readonly Label[] _functions = new Label[Functions];
        // Labels of MOVs whose constant is changed.
        private readonly List<Label> _changing = [];
        private Assembler _a = null!;
        private Func<Label, int> _addressOf = null!;
        private SeededRandom _random = null!;

        public Dictionary<ulong, byte[]> Assembled => At(is64, Emit);

        // Is called twice, and does the same.
        private void Emit(Assembler assembler, Func<Label, int> addressOf)
        {
            (_a, _addressOf, _random) = (assembler, addressOf, new SeededRandom(_seed));
            _changing.Clear();
            for (int f = 0; f < Functions; f++) _functions[f] = _a.CreateLabel();
            var round = _a.CreateLabel();
            var main = _a.CreateLabel();
            _a.jmp(main);
            for (int f = Functions - 1; f >= 0; f--) Function(f);
            Place(ref main);
            _a.mov(ecx, Rounds);
            Place(ref round);
            Body(-1);
            _a.dec(ecx);
            if (_random.OneIn(2)) _a.jne(round);
            else
            {
                var end = _a.CreateLabel();
                _a.je(end);
                _a.jmp(round);
                Place(ref end);
            }
            _a.hlt();
        }

        // An instruction has one label at most.
        private void Place(ref Label label)
        {
            _a.Label(ref label);
            _a.nop();
        }

        private void Function(int number)
        {
            Place(ref _functions[number]);
            Body(number);
            if (_random.OneIn(4)) Tamper();
            _a.ret();
            if (_random.OneIn(3)) _a.int3();
        }

        private void Body(int number)
        {
            for (int piece = _random.Between(1, 4); piece > 0; piece--)
            {
                for (int i = _random.Between(0, 3); i > 0; i--) Instruction();
                switch (_random.Below(6))
                {
                    case 0: Jump(); break;
                    case 1: Branch(); break;
                    case 2 or 3 when number < Functions - 1:
                        _a.call(_functions[_random.Between(number + 1, Functions - 1)]);
                        // Somewhere to return to, one further on.
                        _a.nop();
                        break;
                    case 4: Changing(); break;
                }
            }
        }

        /// <summary>Over what is not executed.</summary>
        private void Jump()
        {
            var target = _a.CreateLabel();
            _a.jmp(target);
            if (_random.OneIn(2)) _a.nop(); else _a.ud2();
            Place(ref target);
        }

        private void Branch()
        {
            var target = _a.CreateLabel();
            switch (_random.Below(3))
            {
                case 0: _a.test(ecx, 1 << _random.Below(4)); break;
                case 1: _a.cmp(eax, edx); break;
                default: break;
            }
            switch (_random.Below(4))
            {
                case 0: _a.je(target); break;
                case 1: _a.jb(target); break;
                case 2: _a.jns(target); break;
                default: _a.jg(target); break;
            }
            Instruction();
            if (_random.OneIn(2)) Jump();
            Place(ref target);
        }

        /// <summary>A constant, which something else changes now and then.</summary>
        private void Changing()
        {
            if (_changing.Count > 0 && _random.OneIn(2))
            {
                var not = _a.CreateLabel();
                _a.test(ecx, _random.Pick([3, 7, 15]));
                _a.jne(not);
                _a.mov(ebx, _addressOf(_changing[_random.Below(_changing.Count)]));
                if (is64) _a.inc(__byte_ptr[rbx + 1]);
                else _a.inc(__byte_ptr[ebx + 1]);
                Place(ref not);
                return;
            }
            var label = _a.CreateLabel();
            _a.Label(ref label);
            _changing.Add(label);
            _a.mov(edx, 0x12345678);
        }

        /// <summary>Makes the function return one byte later, or to itself once more, now and then.</summary>
        private void Tamper()
        {
            var not = _a.CreateLabel();
            _a.test(ecx, _random.Pick([1, 3, 5]));
            _a.jne(not);
            if (is64) _a.inc(__qword_ptr[rsp]);
            else _a.inc(__dword_ptr[esp]);
            Place(ref not);
        }

        private void Instruction()
        {
            switch (_random.Below(12))
            {
                case 0: _a.add(eax, edx); break;
                case 1: _a.sub(edx, 77); break;
                case 2: _a.adc(eax, esi); break;
                case 3: _a.xor(esi, eax); break;
                case 4: _a.inc(eax); break;
                case 5: _a.cmp(esi, edx); break;
                case 6: _a.setb(dl); break;
                case 7: _a.shl(eax, 3); break;
                case 8:
                    if (is64) _a.add(__dword_ptr[(long)Data + 4 * _random.Below(16)], eax);
                    else _a.add(__dword_ptr[(int)Data + 4 * _random.Below(16)], eax);
                    break;
                case 9:
                    if (is64) _a.mov(esi, __dword_ptr[(long)Data + 4 * _random.Below(16)]);
                    else _a.mov(esi, __dword_ptr[(int)Data + 4 * _random.Below(16)]);
                    break;
                case 10:
                    if (is64)
                    {
                        _a.push(rax);
                        _a.pop(rdi);
                    }
                    else
                    {
                        _a.push(eax);
                        _a.pop(edi);
                    }
                    break;
                default: _a.imul(edx, eax, 5); break;
            }
        }
    }
}
