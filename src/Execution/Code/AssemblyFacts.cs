using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;

namespace Orleans.Joblib;

/// <summary>What an assembly's bytes say of it.</summary>
/// <param name="Item">It as a piece of a code set.</param>
/// <param name="References">The assemblies that it refers to.</param>
/// <param name="NativeImports">The native libraries that it calls, as its P/Invokes name them.</param>
internal sealed record AssemblyFacts(CodeItem Item, AssemblyName[] References, string[] NativeImports)
{
    /// <summary>Reads an assembly.</summary>
    /// <exception cref="BadImageFormatException">The bytes are no managed assembly.</exception>
    internal static AssemblyFacts Read(byte[] bytes)
    {
        using var reader = new PEReader(ImmutableCollectionsMarshal.AsImmutableArray(bytes));
        if (!reader.HasMetadata)
        {
            throw new BadImageFormatException("The file has no managed metadata.");
        }

        var metadata = reader.GetMetadataReader();
        var definition = metadata.GetAssemblyDefinition();
        AssemblyName[] references = [.. metadata.AssemblyReferences.Select(handle => metadata.GetAssemblyReference(handle).GetAssemblyName())];
        var item = new CodeItem(
            CodeItemKind.Assembly,
            metadata.GetString(definition.Name),
            definition.Version.ToString(),
            metadata.GetString(definition.Culture),
            metadata.GetGuid(metadata.GetModuleDefinition().Mvid),
            CodeHash.Of(bytes),
            bytes.Length,
            FrameworkOf(metadata, definition, references),
            IsPrecompiled(reader) ? CodePlatform.Current : "");
        return new AssemblyFacts(item, references, [.. NativeImportsOf(metadata)]);
    }

    private static bool IsPrecompiled(PEReader reader) =>
        reader.PEHeaders.CorHeader is { } header && (header.ManagedNativeHeaderDirectory.Size != 0 || (header.Flags & CorFlags.ILOnly) == 0);

    private static IEnumerable<string> NativeImportsOf(MetadataReader metadata)
    {
        for (var row = 1; row <= metadata.GetTableRowCount(TableIndex.ModuleRef); row++)
        {
            yield return metadata.GetString(metadata.GetModuleReference(MetadataTokens.ModuleReferenceHandle(row)).Name);
        }
    }

    private static string FrameworkOf(MetadataReader metadata, AssemblyDefinition definition, AssemblyName[] references)
    {
        foreach (var handle in definition.GetCustomAttributes())
        {
            var attribute = metadata.GetCustomAttribute(handle);
            if (attribute.Constructor.Kind == HandleKind.MemberReference
                && metadata.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent is { Kind: HandleKind.TypeReference } parent
                && metadata.StringComparer.Equals(metadata.GetTypeReference((TypeReferenceHandle)parent).Name, "TargetFrameworkAttribute"))
            {
                var value = metadata.GetBlobReader(attribute.Value);
                _ = value.ReadUInt16();
                return value.ReadSerializedString() ?? "";
            }
        }

        // A compiler writes the attribute only when a build tells it to; the framework that it was compiled against shows all the same.
        var core = references.FirstOrDefault(reference => reference.Name is "System.Runtime" or "System.Private.CoreLib");
        return core?.Version is { Major: >= 5 } version ? $".NETCoreApp,Version=v{version.Major}.{version.Minor}" : "";
    }
}
