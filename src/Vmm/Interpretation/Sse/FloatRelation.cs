namespace Vmm.Interpretation.Sse;

/// <summary>How two floating-point numbers compare.</summary>
internal enum FloatRelation
{
    Less,
    Equal,
    Greater,
    Unordered,
}
