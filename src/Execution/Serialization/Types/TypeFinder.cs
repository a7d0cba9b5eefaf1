using System.Buffers;
using System.Collections.Concurrent;
using System.Reflection;

namespace Orleans.Joblib;

/// <summary>Finds the types and methods that a payload names: in the code set, the framework, Orleans and Orleans.Joblib, and nowhere else. Thread-safe.</summary>
internal sealed class TypeFinder(ICodeResolver code)
{
    // Deeper nested type arguments than anybody writes by hand. A constructed type is never freed outside collectible contexts.
    private const int DeepestNesting = 32;
    private const int MostTypesInOneName = 256;

    private static readonly SearchValues<char> NotInAssemblyNames = SearchValues.Create("/\\,=\"'\0");

    private readonly ConcurrentDictionary<string, Assembly> _shared = new(StringComparer.Ordinal);

    internal Type Read(PayloadReader reader)
    {
        var left = MostTypesInOneName;
        return Read(reader, 0, ref left);
    }

    internal MethodBase ReadMethod(PayloadReader reader)
    {
        var owner = Read(reader);
        var name = reader.ReadString();
        if (owner.ContainsGenericParameters)
        {
            throw PayloadReader.Malformed($"'{owner}' is an open type");
        }

        var definition = owner.IsConstructedGenericType ? owner.GetGenericTypeDefinition() : owner;
        MethodBase? method;
        if (SharedCode.IsShared(owner.Assembly))
        {
            var signature = reader.ReadString();
            method = definition.GetMembers(TypeNames.Everything).OfType<MethodBase>()
                .FirstOrDefault(candidate => candidate.Name == name && TypeNames.Signature(candidate) == signature);
            if (method is null)
            {
                throw new JoblibException(
                    "missing-code", $"'{owner.FullName}' has no method '{name}' here. Run the same versions of .NET and of Orleans.Joblib on clients and silos.");
            }
        }
        else
        {
            var token = reader.ReadRaw<int>();
            if (token >> 24 != 0x06)
            {
                throw PayloadReader.Malformed("a method's token is none");
            }

            try
            {
                method = owner.Module.ResolveMethod(token, definition.IsGenericType ? definition.GetGenericArguments() : null, null);
            }
            catch (ArgumentException exception)
            {
                throw PayloadReader.Malformed($"'{owner}' has no method '{token:x}'", exception);
            }
        }

        if (method is null || method.Name != name || method.DeclaringType != definition)
        {
            throw PayloadReader.Malformed($"'{owner}' has no method '{name}'");
        }

        if (owner.IsConstructedGenericType)
        {
            method = MethodBase.GetMethodFromHandle(method.MethodHandle, owner.TypeHandle)!;
        }

        var arguments = new Type[reader.ReadByte()];
        for (var i = 0; i < arguments.Length; i++)
        {
            arguments[i] = Argument(Read(reader));
        }

        if ((method.IsGenericMethod ? method.GetGenericArguments().Length : 0) != arguments.Length)
        {
            throw PayloadReader.Malformed($"'{name}' takes another number of type arguments");
        }

        return arguments.Length == 0 ? method : ((MethodInfo)method).MakeGenericMethod(arguments);
    }

    private Type Read(PayloadReader reader, int depth, ref int left)
    {
        if (depth > DeepestNesting || --left < 0)
        {
            throw PayloadReader.Malformed("a type is nested too deeply");
        }

        var kind = reader.ReadByte();
        switch (kind)
        {
            case TypeNames.Vector:
                return Argument(Read(reader, depth + 1, ref left)).MakeArrayType();

            case TypeNames.Grid:
                var rank = reader.ReadByte();
                return rank is >= 1 and <= 32 ? Argument(Read(reader, depth + 1, ref left)).MakeArrayType(rank) : throw PayloadReader.Malformed($"an array of rank '{rank}'");

            case TypeNames.Constructed:
                var definition = ReadNamed(reader, reader.ReadByte());
                var arguments = new Type[reader.ReadByte()];
                for (var i = 0; i < arguments.Length; i++)
                {
                    arguments[i] = Argument(Read(reader, depth + 1, ref left));
                }

                return definition.IsGenericTypeDefinition && definition.GetGenericArguments().Length == arguments.Length
                    ? definition.MakeGenericType(arguments)
                    : throw PayloadReader.Malformed($"'{definition}' takes another number of type arguments");

            default:
                return ReadNamed(reader, kind);
        }
    }

    private static Type Argument(Type type) =>
        type == typeof(void) || type.IsByRefLike || type.IsGenericTypeDefinition ? throw PayloadReader.Malformed($"'{type}' is no type argument") : type;

    private Type ReadNamed(PayloadReader reader, byte kind)
    {
        var assemblyName = reader.ReadString();
        var assembly = kind switch
        {
            TypeNames.Shared => FindShared(assemblyName),
            TypeNames.User => code.Resolve(assemblyName, reader.ReadRaw<Guid>()),
            _ => throw PayloadReader.Malformed("a type's description is none"),
        };

        // A name in brackets would have the parser load whatever assemblies it names.
        var name = reader.ReadString();
        if (name.Length == 0 || name.Contains('[', StringComparison.Ordinal) || name.AsSpan().ContainsAny('*', '&', '\0'))
        {
            throw PayloadReader.Malformed("a type's name is none");
        }

        Type? type;
        try
        {
            type = assembly.GetType(name, throwOnError: false);
        }
        catch (Exception exception) when (exception is ArgumentException or IOException or BadImageFormatException)
        {
            throw PayloadReader.Malformed("a type's name is none", exception);
        }

        return type is null
            ? throw new JoblibException(
                "missing-code", $"The type '{name}' is not in '{assembly.GetName().Name}' here. Run the same versions of .NET and of Orleans.Joblib on clients and silos.")
            : kind == TypeNames.User && type.Assembly != assembly ? throw PayloadReader.Malformed($"'{name}' is another assembly's") : type;
    }

    private Assembly FindShared(string name)
    {
        if (_shared.TryGetValue(name, out var known))
        {
            return known;
        }

        if (name.Length is 0 or > 200 || name.AsSpan().ContainsAny(NotInAssemblyNames))
        {
            throw PayloadReader.Malformed("an assembly's name is none");
        }

        Assembly? assembly = null;
        try
        {
            assembly = Assembly.Load(new AssemblyName(name));
        }
        catch (Exception exception) when (exception is IOException or BadImageFormatException or ArgumentException)
        {
        }

        if (assembly is null || !SharedCode.IsShared(assembly))
        {
            throw new JoblibException("missing-code", $"The assembly '{name}' is not part of this process. Run the same versions of .NET and of Orleans.Joblib on clients and silos.");
        }

        return _shared.GetOrAdd(name, assembly);
    }
}
