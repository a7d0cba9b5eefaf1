using System.Reflection;

namespace Orleans.Joblib;

/// <summary>Finds code that payloads name.</summary>
internal interface ICodeResolver
{
    /// <summary>The code set's assembly. Thread-safe.</summary>
    /// <exception cref="JoblibException">The code set does not hold it.</exception>
    Assembly Resolve(string name, Guid mvid);
}
