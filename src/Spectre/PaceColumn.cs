using Spectre.Console;
using Spectre.Console.Rendering;

namespace Orleans.Joblib;

/// <summary>A part of the bar's line that is text.</summary>
internal sealed class PaceColumn(Func<string> text, Style style) : ProgressColumn
{
    protected override bool NoWrap => true;

    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(text(), style);
}
