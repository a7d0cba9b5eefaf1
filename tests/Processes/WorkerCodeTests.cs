using System.Reflection;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.Scripting;
using Orleans.Joblib.Tests.Code;
using Xunit;
using static Orleans.Joblib.Joblib;

namespace Orleans.Joblib.Tests.Processes;

/// <summary>Calls of code that does not lie beside the program: worker processes get it all the same.</summary>
public sealed class WorkerCodeTests
{
    [Fact]
    public void Run_AssemblyOfBytes_AndWhatItRefersTo()
    {
        using var folder = new Compiled();
        folder.Compile("Base", "public static class Base { public static int Three() => 3; }");
        folder.Compile("Calls", "public static class Calls { public static int Times(int i) => i * Base.Three(); public static System.Func<int> Of(int i) => () => Times(i); }", "Base");
        var context = new System.Runtime.Loader.AssemblyLoadContext("bytes");
        var bases = context.LoadFromStream(new MemoryStream(File.ReadAllBytes(folder.PathOf("Base"))));
        context.Resolving += (_, name) => name.Name == "Base" ? bases : null;
        var calls = context.LoadFromStream(new MemoryStream(File.ReadAllBytes(folder.PathOf("Calls"))));
        Assert.Equal([0, 3, 6, 9], Run(calls, "loky"));
    }

    [Fact]
    public void Run_AssembliesOfAFolder_AndTwoBuildsOfOneName()
    {
        using var first = new Compiled();
        using var second = new Compiled();
        first.Compile("Plugin", "public static class Calls { public static System.Func<int> Of(int i) => () => i + 1; }");
        second.Compile("Plugin", "public static class Calls { public static System.Func<int> Of(int i) => () => i + 2; }");
        Assert.Equal([1, 2, 3, 4], Run(first.Load("Plugin"), "loky"));
        Assert.Equal([2, 3, 4, 5], Run(second.Load("Plugin"), "loky"));
        Assert.Equal([1, 2, 3, 4], Run(first.Load("Plugin"), "loky"));
    }

    [Fact]
    public async Task Run_CallsOfAScript()
    {
        var options = ScriptOptions.Default
            .WithReferences(typeof(object).Assembly, typeof(Enumerable).Assembly, typeof(Joblib).Assembly, typeof(Delayed<>).Assembly)
            .WithImports("System.Linq", "Orleans.Joblib");
        var script = await CSharpScript.RunAsync("static int Triple(int x) => x * 3;", options);
        script = await script.ContinueWithAsync("Joblib.Parallel(2, \"loky\").Run(Enumerable.Range(0, 4).Select(i => Joblib.Delayed(() => Triple(i))))");
        Assert.Equal(new[] { 0, 3, 6, 9 }, (int[])script.ReturnValue);
    }

    private static int[] Run(Assembly calls, string backend)
    {
        var of = calls.GetType("Calls")!.GetMethod("Of")!.CreateDelegate<Func<int, Func<int>>>();
        using var parallel = Parallel(2, backend);
        return Patience.Within(() => parallel.Run(Enumerable.Range(0, 4).Select(i => Delayed(of(i)))));
    }
}
