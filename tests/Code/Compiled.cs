using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Orleans.Joblib.Tests.Code;

/// <summary>A folder of freshly compiled assemblies, loaded as a program would load them: from files, in a context of their own.</summary>
internal sealed class Compiled : IDisposable
{
    private static readonly ImmutableArray<MetadataReference> Framework =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetDirectoryName(path) == Path.GetDirectoryName(typeof(object).Assembly.Location))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    private readonly AssemblyLoadContext _context;

    internal Compiled()
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("joblib-code-").FullName;
        _context = new AssemblyLoadContext("program", isCollectible: true);
        _context.Resolving += (context, name) => File.Exists(PathOf(name.Name!)) ? context.LoadFromAssemblyPath(PathOf(name.Name!)) : null;
    }

    internal string Directory { get; }

    internal AssemblyLoadContext Context => _context;

    internal string PathOf(string name) => Path.Combine(Directory, name + ".dll");

    /// <summary>Compiles an assembly into the folder.</summary>
    internal string Compile(string name, string source, params string[] references) => Compile(name, source, "1.0.0.0", references);

    internal string Compile(string name, string source, string version, string[] references)
    {
        var bytes = Emit(name, $"[assembly: System.Reflection.AssemblyVersion(\"{version}\")]\n{source}", [.. references.Select(PathOf)]);

        // As a build does it: a new file in the place of the old one.
        File.WriteAllBytes(PathOf(name) + ".new", bytes);
        File.Move(PathOf(name) + ".new", PathOf(name), overwrite: true);
        return PathOf(name);
    }

    internal Assembly Load(string name) => _context.LoadFromAssemblyPath(PathOf(name));

    internal static byte[] Emit(string name, string source, params string[] references)
    {
        var compilation = CSharpCompilation.Create(
            name,
            [CSharpSyntaxTree.ParseText(source)],
            [.. Framework, .. references.Select(path => MetadataReference.CreateFromFile(path))],
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true));
        var stream = new MemoryStream();
        var result = compilation.Emit(stream);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics));
        return stream.ToArray();
    }

    public void Dispose()
    {
        _context.Unload();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
