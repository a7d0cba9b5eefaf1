using System.Reflection;

namespace Orleans.Joblib;

/// <summary>Takes note of code that payloads name.</summary>
internal interface ICodeReferences
{
    /// <summary>Notes a user assembly that a payload names. Thread-safe, and cheap when it is known.</summary>
    /// <exception cref="JoblibException">The assembly cannot be sent.</exception>
    void Add(Assembly assembly);
}
