using System.Reflection;
using System.Runtime.CompilerServices;
using Orleans.Runtime;
using Xunit;

namespace Orleans.Joblib.Tests.Wire;

/// <summary>What clients and silos say to each other is text (WireSurface.txt), so that nobody changes it unawares.</summary>
public sealed class WireSurfaceTests
{
    private const string Update = "JOBLIB_WRITE_WIRE_SURFACE";

    [Fact]
    public void Surface_IsTheRecordedOne()
    {
        var path = Path.Combine(Path.GetDirectoryName(ThisFile())!, "WireSurface.txt");
        var surface = string.Join('\n', Lines()) + "\n";
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            File.WriteAllText(path, surface);
        }

        Assert.True(
            File.ReadAllText(path) == surface,
            "The grain interfaces, wire records or payload format changed. If a released version speaks this protocol version, raise JoblibProtocol.Version (the rule: docs/wire-format.md). "
                + $"Then run this test with {Update}=1 and commit {path}. Now it is:\n{surface}");
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private static IEnumerable<string> Lines()
    {
        yield return $"protocol {JoblibProtocol.Version}, payload format {PayloadFormat.Version}";
        var types = typeof(JoblibProtocol).Assembly.GetTypes().OrderBy(type => type.FullName, StringComparer.Ordinal).ToList();
        foreach (var type in types.Where(type => type.IsInterface && typeof(IAddressable).IsAssignableFrom(type)))
        {
            yield return $"interface {AliasOf(type)}";
            foreach (var method in type.GetMethods().OrderBy(AliasOf, StringComparer.Ordinal))
            {
                yield return $"    {AliasOf(method)}({string.Join(", ", method.GetParameters().Select(parameter => Name(parameter.ParameterType)))}): {Name(method.ReturnType)}";
            }
        }

        foreach (var type in types.Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null))
        {
            yield return $"record {AliasOf(type)}";
            var members = type.GetMembers(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Select(member => (Id: member.GetCustomAttribute<IdAttribute>()?.Id, Member: member))
                .Where(member => member.Id is not null)
                .OrderBy(member => member.Id);
            foreach (var (id, member) in members)
            {
                yield return $"    {id} {Name(member is PropertyInfo property ? property.PropertyType : ((FieldInfo)member).FieldType)} {member.Name}";
            }
        }

        foreach (var type in types.Where(type => type.IsEnum && type.IsPublic))
        {
            yield return $"enum {type.FullName}: {string.Join(", ", Enum.GetNames(type).Select(name => $"{name} {Convert.ToInt64(Enum.Parse(type, name), null)}"))}";
        }
    }

    private static string AliasOf(MemberInfo member) => member.GetCustomAttributes<AliasAttribute>(inherit: false).FirstOrDefault()?.Alias ?? member.Name;

    private static string Name(Type type) => type.IsArray
        ? Name(type.GetElementType()!) + "[]"
        : type.IsGenericType ? $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : type.Name;
}
