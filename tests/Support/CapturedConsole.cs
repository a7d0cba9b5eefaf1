namespace Orleans.Joblib.Tests;

/// <summary>What is printed while it lives. The console is the process's: only for tests that run alone.</summary>
internal sealed class CapturedConsole : IDisposable
{
    private readonly TextWriter _standardOut = Console.Out;
    private readonly TextWriter _standardError = Console.Error;
    private readonly StringWriter _out = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };

    internal CapturedConsole()
    {
        Console.SetOut(TextWriter.Synchronized(_out));
        Console.SetError(TextWriter.Synchronized(_error));
    }

    internal string Out => _out.ToString();

    internal string Error => _error.ToString();

    internal string[] ErrorLines => Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    internal string[] OutLines => Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public void Dispose()
    {
        Console.SetOut(_standardOut);
        Console.SetError(_standardError);
        _out.Dispose();
        _error.Dispose();
    }
}
