namespace Orleans.Joblib;

/// <summary>Which fields of which closures a piece of code reads. Immutable once it is made.</summary>
internal sealed class ClosureUse
{
    private readonly Dictionary<Type, HashSet<string>>? _reads;

    internal ClosureUse(Dictionary<Type, HashSet<string>>? reads) => _reads = reads;

    /// <summary>What is assumed of code that cannot be followed.</summary>
    internal static ClosureUse Everything { get; } = new(null);

    /// <param name="definition">The closure's class, its generic definition if it has one.</param>
    /// <param name="field">The field's name.</param>
    internal bool Reads(Type definition, string field) => _reads is null || (_reads.TryGetValue(definition, out var fields) && fields.Contains(field));
}
