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

    public void Dispose()
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                Directory.Delete(Root, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException) when (tries < 10)
            {
                // A worker that ends has removed its store in between.
            }
        }
    }
}
