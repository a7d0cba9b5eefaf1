using System.Globalization;
using System.Text;

namespace Orleans.Joblib;

/// <summary>A code set: all code that a run's calls need and that a silo may lack. Immutable; a set that grows is another one.</summary>
/// <param name="Id">SHA-256 over the sorted items, so the same program has the same id in every process.</param>
/// <param name="Items">The pieces, sorted.</param>
/// <param name="Earlier">The sets that this one has grown out of, latest first: a silo that has one of them loaded goes on with it, statics included.</param>
[GenerateSerializer]
[Immutable]
[Alias("Orleans.Joblib.CodeManifest")]
public sealed record CodeManifest(
    [property: Id(0)] CodeHash Id,
    [property: Id(1)] CodeItem[] Items,
    [property: Id(2)] CodeHash[] Earlier)
{
    /// <summary>How many earlier sets are named at most.</summary>
    internal const int MostEarlier = 16;

    internal static CodeManifest Create(IEnumerable<CodeItem> items, CodeManifest? previous = null)
    {
        CodeItem[] sorted = [.. items.OrderBy(item => item.Kind).ThenBy(item => item.Name, StringComparer.Ordinal).ThenBy(item => item.Culture, StringComparer.Ordinal)];
        return new CodeManifest(IdOf(sorted), sorted, previous is null ? [] : [.. previous.Earlier.Prepend(previous.Id).Take(MostEarlier)]);
    }

    internal static CodeHash IdOf(CodeItem[] items)
    {
        var text = new StringBuilder();
        foreach (var item in items)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"{(int)item.Kind}\t{item.Name}\t{item.Version}\t{item.Culture}\t{item.Mvid:N}\t{item.Hash}\t{item.Length}\t{item.Framework}\t{item.Platform}\n");
        }

        return CodeHash.Of(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
