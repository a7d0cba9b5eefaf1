using System.Text;
using Spectre.Console;

namespace Orleans.Joblib.Tests.Progress;

/// <summary>What a program writes to a terminal 120 columns wide, or to a file; may be read meanwhile.</summary>
internal sealed class RecordedTerminal : TextWriter
{
    private readonly Lock _gate = new();
    private readonly StringBuilder _text = new();

    internal RecordedTerminal(bool isTerminal = true)
    {
        Console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = isTerminal ? AnsiSupport.Yes : AnsiSupport.No,
            Interactive = isTerminal ? InteractionSupport.Yes : InteractionSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(this),
        });
        Console.Profile.Width = 120;
    }

    public override Encoding Encoding => Encoding.UTF8;

    internal IAnsiConsole Console { get; }

    internal string Text
    {
        get
        {
            lock (_gate)
            {
                return _text.ToString();
            }
        }
    }

    /// <summary>What stands on the lines, without what moves the cursor.</summary>
    internal string[] Lines => [.. System.Text.RegularExpressions.Regex.Replace(Text, "\u001b\\[[0-9;?]*[A-Za-z]", "").Split('\n', '\r').Where(line => line.Trim().Length > 0)];

    public override void Write(char value)
    {
        lock (_gate)
        {
            _text.Append(value);
        }
    }

    public override void Write(string? value)
    {
        lock (_gate)
        {
            _text.Append(value);
        }
    }
}
