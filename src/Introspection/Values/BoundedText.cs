using System.Text;

namespace Introspection.Values;

/// <summary>A list in one line that ends with dots when it gets too long.</summary>
internal sealed class BoundedText(string opening, int maximumLength)
{
    private readonly StringBuilder _text = new(opening);
    private bool _isCut;
    private int _count;

    /// <summary>There is room for one more part.</summary>
    public bool Begin()
    {
        if (_text.Length >= maximumLength) _isCut = true;
        if (!_isCut && _count++ > 0) _text.Append(", ");
        return !_isCut;
    }

    public void Append(string part) => _text.Append(part);

    /// <summary>There is more than is shown.</summary>
    public void Cut() => _isCut = true;

    public string End(string closing)
    {
        if (_isCut) _text.Append(_count > 0 ? ", ..." : "...");
        return _text.Append(closing).ToString();
    }
}
