using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Xml.Linq;
using Xunit;

namespace Cli.Tests;

/// <summary>A JUnit report, read as strictly as the strictest of the programs that show them.</summary>
internal sealed class JUnitFile
{
    private static readonly string[] s_results = ["failure", "error", "skipped"];

    private JUnitFile(IReadOnlyList<XElement> cases) => Cases = cases;

    public IReadOnlyList<XElement> Cases { get; }

    /// <summary>"good", "failure", "error" or "skipped", and the message.</summary>
    public (string Result, string Message) Of(string namePart)
    {
        XElement one = Assert.Single(Cases, one => one.Attribute("name")!.Value.Contains(namePart, StringComparison.Ordinal));
        XElement? result = one.Elements().FirstOrDefault(static child => s_results.Contains(child.Name.LocalName));
        return result is null ? ("good", "") : (result.Name.LocalName, result.Attribute("message")!.Value);
    }

    public static JUnitFile Read(string path)
    {
        XElement root = XDocument.Load(path).Root!;
        Assert.Equal("testsuites", root.Name.LocalName);
        XElement suite = Assert.Single(root.Elements());
        Assert.Equal("testsuite", suite.Name.LocalName);
        XElement[] cases = [.. suite.Elements()];
        Assert.All(cases, static one => Assert.Equal("testcase", one.Name.LocalName));
        foreach (XElement counted in (XElement[])[root, suite])
        {
            Assert.Equal(["name", "tests", "failures", "errors", "skipped", "time"], counted.Attributes().Select(static attribute => attribute.Name.LocalName));
            Assert.Equal(cases.Length, (int)counted.Attribute("tests")!);
            foreach ((string attribute, string element) in (ReadOnlySpan<(string, string)>)[("failures", "failure"), ("errors", "error"), ("skipped", "skipped")])
                Assert.Equal(cases.Count(one => one.Element(element) is not null), (int)counted.Attribute(attribute)!);
            AssertSeconds(counted);
        }
        foreach (XElement one in cases)
        {
            Assert.Equal(["name", "classname", "time"], one.Attributes().Select(static attribute => attribute.Name.LocalName));
            AssertSeconds(one);
            Assert.True(one.Elements().Count(static child => s_results.Contains(child.Name.LocalName)) <= 1);
            Assert.All(one.Elements(), static child => Assert.Contains(child.Name.LocalName, (string[])[.. s_results, "system-out"]));
        }
        return new JUnitFile(cases);
    }

    private static void AssertSeconds(XElement element) =>
        Assert.True(decimal.TryParse(element.Attribute("time")!.Value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _));
}
