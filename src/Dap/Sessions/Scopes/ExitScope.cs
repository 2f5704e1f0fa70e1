using System.Collections.Generic;
using System.Linq;
using Dap.Protocol;
using Vmm.Cpu;

namespace Dap.Sessions.Scopes;

/// <summary>How often the guest needed the VMM since reset, by reason, most frequent first.</summary>
internal sealed class ExitScope(Session session)
{
    public IReadOnlyList<Variable> Read()
    {
        ExitCounters exits = session.Machine.Exits;
        return
        [
            .. from i in Enumerable.Range(0, (int)ExitReason.Count)
               let reason = (ExitReason)i
               let count = exits[reason]
               where count > 0
               orderby count descending, i
               select new Variable { Name = reason.ToString(), Value = Hexadecimal.Grouped(count), VariablesReference = 0 },
        ];
    }
}
