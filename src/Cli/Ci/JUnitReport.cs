using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Xml;

namespace Cli.Ci;

/// <summary>What became of one test case.</summary>
internal enum JUnitResult
{
    Good,
    /// <summary>What was checked is not so.</summary>
    Failure,
    /// <summary>It could not be checked.</summary>
    Error,
    /// <summary>Nobody came to check it.</summary>
    Skipped,
}

/// <summary>One test case.</summary>
/// <param name="Name">Of the case; the recording's path, or an expectation.</param>
/// <param name="ClassName">What it belongs to.</param>
/// <param name="Result">What became of it.</param>
/// <param name="Message">Why; empty when good.</param>
/// <param name="Time">How long it took.</param>
/// <param name="Output">More for people, such as counts.</param>
internal sealed record JUnitCase(string Name, string ClassName, JUnitResult Result, string Message, TimeSpan Time, string Output = "");

/// <summary>Writes JUnit's XML, which CI systems show: one suite, as the JUnit task of Ant defined it.</summary>
internal static class JUnitReport
{
    /// <exception cref="CommandException">The file cannot be written.</exception>
    public static void Write(string path, string suite, IReadOnlyList<JUnitCase> cases)
    {
        try
        {
            // First beside it, then in its place: half a report would be read as a whole one.
            string next = path + ".new";
            using (XmlWriter xml = XmlWriter.Create(next, new XmlWriterSettings { Indent = true, Encoding = new UTF8Encoding(false) })) WriteSuites(xml, suite, cases);
            File.Move(next, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CommandException.BadFile($"--junit: {path} cannot be written: {e.Message}");
        }
    }

    private static void WriteSuites(XmlWriter xml, string suite, IReadOnlyList<JUnitCase> cases)
    {
        xml.WriteStartElement("testsuites");
        WriteCounts(xml, suite, cases);
        xml.WriteStartElement("testsuite");
        WriteCounts(xml, suite, cases);
        foreach (JUnitCase one in cases) WriteCase(xml, one);
        xml.WriteEndElement();
        xml.WriteEndElement();
    }

    private static void WriteCounts(XmlWriter xml, string suite, IReadOnlyList<JUnitCase> cases)
    {
        int Count(JUnitResult result) => cases.Count(one => one.Result == result);
        Attribute(xml, "name", suite);
        Attribute(xml, "tests", $"{cases.Count}");
        Attribute(xml, "failures", $"{Count(JUnitResult.Failure)}");
        Attribute(xml, "errors", $"{Count(JUnitResult.Error)}");
        Attribute(xml, "skipped", $"{Count(JUnitResult.Skipped)}");
        Attribute(xml, "time", Seconds(cases.Aggregate(TimeSpan.Zero, static (sum, one) => sum + one.Time)));
    }

    private static void WriteCase(XmlWriter xml, JUnitCase one)
    {
        xml.WriteStartElement("testcase");
        Attribute(xml, "name", one.Name);
        Attribute(xml, "classname", one.ClassName);
        Attribute(xml, "time", Seconds(one.Time));
        if (one.Result != JUnitResult.Good)
        {
            xml.WriteStartElement(one.Result switch { JUnitResult.Failure => "failure", JUnitResult.Error => "error", _ => "skipped" });
            Attribute(xml, "message", one.Message);
            xml.WriteEndElement();
        }
        if (one.Output.Length > 0) xml.WriteElementString("system-out", Clean(one.Output));
        xml.WriteEndElement();
    }

    private static void Attribute(XmlWriter xml, string name, string value) => xml.WriteAttributeString(name, Clean(value));

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("F3", CultureInfo.InvariantCulture);

    // XML has no control characters and no lone surrogates, and guests print both (XML 1.0, 2.2).
    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            clean.Append(rune.Value is '\t' or '\n' or '\r' or (>= 0x20 and not 0xFFFE and not 0xFFFF) ? rune : Rune.ReplacementChar);
        return clean.ToString();
    }
}
