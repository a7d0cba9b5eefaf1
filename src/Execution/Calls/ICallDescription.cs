using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>What a call shows of itself in messages, whatever it returns.</summary>
internal interface ICallDescription
{
    /// <summary>The user's own delegate.</summary>
    Delegate Function { get; }

    /// <summary>The arguments as the user gave them, or null when all is captured.</summary>
    ITuple? Arguments { get; }
}
