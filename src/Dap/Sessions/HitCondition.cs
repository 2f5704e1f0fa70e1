using System;
using System.Globalization;
using Dap.Protocol;

namespace Dap.Sessions;

/// <summary>
/// Which hits of a breakpoint count: "3" or "== 3" the third, ">= 3", "> 3", "&lt;= 3", "&lt; 3", "!= 3", "% 3" every third. A hit's number is how often the breakpoint was hit
/// since the start of the recording, its own condition being true: it depends on nothing but the position, so that a hit has one number from both directions.
/// </summary>
internal readonly record struct HitCondition(string Operator, ulong Number)
{
    /// <exception cref="RequestException">It is not one.</exception>
    public static HitCondition Parse(string text)
    {
        string rest = text.Trim(), found = "==";
        foreach (string candidate in (ReadOnlySpan<string>)[">=", "<=", "==", "!=", ">", "<", "%", "="])
        {
            if (!rest.StartsWith(candidate, StringComparison.Ordinal)) continue;
            found = candidate == "=" ? "==" : candidate;
            rest = rest[candidate.Length..].Trim();
            break;
        }
        if (ulong.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && (number > 0 || found != "%")) return new HitCondition(found, number);
        throw new RequestException($"its hit count '{text}' is not understood: write 3, >= 3, > 3, <= 3, < 3, != 3, or % 3 for every third");
    }

    public bool Accepts(ulong hit) => Operator switch
    {
        ">=" => hit >= Number,
        "<=" => hit <= Number,
        "!=" => hit != Number,
        ">" => hit > Number,
        "<" => hit < Number,
        "%" => hit % Number == 0,
        _ => hit == Number,
    };
}
