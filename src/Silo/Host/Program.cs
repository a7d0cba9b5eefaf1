namespace Orleans.Joblib.Silo;

/// <summary>joblib-silo.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => SiloCommand.InvokeAsync(args);
}
