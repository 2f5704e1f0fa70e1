using System;
using System.Text;
using Vmm.Inputs;

namespace Replay.Queries;

/// <summary>Finds a text in a stream of bytes (Knuth, Morris and Pratt, 1977): no look back, whatever the stream.</summary>
internal sealed class TextMatcher
{
    private readonly byte[] _text;
    private readonly int[] _failure;
    private int _matched;

    public TextMatcher(string text) : this(Encoding.UTF8.GetBytes(text)) { }

    public TextMatcher(byte[] text)
    {
        _text = text;
        Vmm.Invariant.Check(_text.Length > 0);
        _failure = new int[_text.Length + 1];
        for (int i = 1, k = 0; i < _text.Length; i++)
        {
            while (k > 0 && _text[i] != _text[k]) k = _failure[k];
            if (_text[i] == _text[k]) k++;
            _failure[i + 1] = k;
        }
    }

    public static TextMatcher[] ForEachChannel(string text) => ForEachChannel(Encoding.UTF8.GetBytes(text));

    public static TextMatcher[] ForEachChannel(byte[] text)
    {
        var matchers = new TextMatcher[(int)OutputChannel.VirtioConsole + 1];
        for (int i = 0; i < matchers.Length; i++) matchers[i] = new TextMatcher(text);
        return matchers;
    }

    /// <summary>Takes the next byte; true when it completes the text. Overlapping occurrences count.</summary>
    public bool Append(byte value)
    {
        while (_matched > 0 && (_matched == _text.Length || _text[_matched] != value)) _matched = _failure[_matched];
        if (_text[_matched] == value) _matched++;
        return _matched == _text.Length;
    }

    public void Reset() => _matched = 0;
}
