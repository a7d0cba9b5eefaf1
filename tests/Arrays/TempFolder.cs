namespace Orleans.Joblib.Tests.Arrays;

/// <summary>A folder for one test.</summary>
internal sealed class TempFolder : IDisposable
{
    internal TempFolder(string? parent = null)
    {
        Root = System.IO.Path.Combine(parent ?? System.IO.Path.GetTempPath(), $"joblib-tests-{Guid.NewGuid():n}");
        Directory.CreateDirectory(Root);
    }

    internal string Root { get; }

    internal string this[string name] => System.IO.Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
