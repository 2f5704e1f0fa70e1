using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Cli.Bench;

/// <summary>A chart with a few lines over whole numbers, drawn as SVG.</summary>
/// <param name="title">What the vertical axis shows.</param>
/// <param name="horizontal">What the horizontal axis shows.</param>
internal sealed class LineChart(string title, string horizontal)
{
    private const double Width = 720, Height = 400, Left = 60, Right = 190, Top = 50, Bottom = 50;
    private const double LeastLabelDistance = 16;

    // Okabe and Ito's palette: it can be told apart by people who see colours differently.
    private static readonly string[] s_colors = ["#d55e00", "#0072b2", "#009e73", "#cc79a7"];
    private readonly List<(string Name, (double X, double Y)[] Points)> _series = [];

    public void Add(string name, (double X, double Y)[] points) => _series.Add((name, points));

    public string ToSvg()
    {
        double maximumX = _series.Max(static one => one.Points.Max(static point => point.X)), minimumX = _series.Min(static one => one.Points.Min(static point => point.X));
        double step = Step(_series.Max(static one => one.Points.Max(static point => point.Y)));
        double top = step * Math.Ceiling(_series.Max(static one => one.Points.Max(static point => point.Y)) / step);
        double X(double x) => Left + (x - minimumX) / Math.Max(1, maximumX - minimumX) * (Width - Left - Right);
        double Y(double y) => Height - Bottom - y / top * (Height - Top - Bottom);

        var svg = new StringBuilder();
        void Line(string text) => svg.Append(text).Append('\n');
        Line(Text($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="13">"""));
        Line("""<rect width="100%" height="100%" fill="#ffffff"/>""");
        Line(Text($"""<text x="{Left}" y="28" font-size="15" font-weight="bold">{title}</text>"""));
        for (double y = 0; y <= top + step / 2; y += step)
        {
            Line(Text($"""<line x1="{Left}" y1="{Y(y):F1}" x2="{Width - Right:F1}" y2="{Y(y):F1}" stroke="#dddddd"/>"""));
            Line(Text($"""<text x="{Left - 8}" y="{Y(y) + 4:F1}" text-anchor="end">{y:0.##}</text>"""));
        }
        for (double x = minimumX; x <= maximumX; x++) Line(Text($"""<text x="{X(x):F1}" y="{Height - Bottom + 20:F1}" text-anchor="middle">{x:0}</text>"""));
        Line(Text($"""<text x="{(Left + Width - Right) / 2:F1}" y="{Height - 10}" text-anchor="middle">{horizontal}</text>"""));
        for (int i = 0; i < _series.Count; i++)
        {
            string points = string.Join(' ', _series[i].Points.Select(point => Text($"{X(point.X):F1},{Y(point.Y):F1}")));
            Line($"""<polyline points="{points}" fill="none" stroke="{s_colors[i % s_colors.Length]}" stroke-width="2.5"/>""");
            foreach ((double x, double y) in _series[i].Points) Line(Text($"""<circle cx="{X(x):F1}" cy="{Y(y):F1}" r="3.5" fill="{s_colors[i % s_colors.Length]}"/>"""));
        }
        double above = double.NegativeInfinity;
        foreach ((int index, double y) in _series.Select((one, index) => (index, Y(one.Points[^1].Y))).OrderBy(static one => one.Item2))
        {
            above = Math.Max(y + 4, above + LeastLabelDistance);
            Line(Text($"""<text x="{Width - Right + 10:F1}" y="{above:F1}" fill="{s_colors[index % s_colors.Length]}">{_series[index].Name}</text>"""));
        }
        Line("</svg>");
        return svg.ToString();
    }

    // 1, 2 or 5 times a power of ten, for four to ten lines.
    private static double Step(double maximum)
    {
        if (maximum <= 0) return 1;
        double power = Math.Pow(10, Math.Floor(Math.Log10(maximum))), ratio = maximum / power;
        return power * (ratio > 5 ? 1 : ratio > 2 ? 0.5 : 0.2);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
