using System.Reflection;

namespace Orleans.Joblib;

/// <summary>For those who do not send code: a silo, whose results name what the client has.</summary>
internal sealed class NoReferences : ICodeReferences
{
    internal static NoReferences Instance { get; } = new();

    public void Add(Assembly assembly)
    {
    }
}
