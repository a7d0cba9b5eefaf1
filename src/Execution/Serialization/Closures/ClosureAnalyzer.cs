using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Orleans.Joblib;

/// <summary>Follows the code of lambdas to the captured variables that it reads. Owned by one encoder; thread-safe.</summary>
/// <remarks>
/// C# gives closure objects no name, so that only code that the compiler made can hold one: methods of closures, of iterators and of asynchronous methods, and local
/// functions. All of it that a lambda can reach is read; whatever field of a closure is mentioned there counts as read. Code that is not understood reads everything.
/// </remarks>
internal sealed class ClosureAnalyzer
{
    private readonly ConcurrentDictionary<MethodBase, ClosureUse> _uses = new();
    private readonly ConcurrentDictionary<Type, ClosureUse> _typeUses = new();
    private readonly ConcurrentDictionary<Type, HashSet<Type>> _written = new();

    /// <summary>What a lambda, and everything that it makes, reads.</summary>
    internal ClosureUse UseOf(MethodBase method) => _uses.GetOrAdd(method, static start => Follow([start]));

    /// <summary>What an iterator or state machine reads, whatever is called of it.</summary>
    internal ClosureUse UseOf(Type machine) => _typeUses.GetOrAdd(machine, static start => Follow(MethodsOf(start)));

    /// <summary>Whether no code but the one that makes such closures writes to them: then a copy for each lambda is as good as a shared one.</summary>
    internal bool IsReadOnly(Type closure)
    {
        var definition = DefinitionOf(closure);
        return definition.DeclaringType is { } owner && !_written.GetOrAdd(owner, static type => WrittenIn(type)).Contains(definition);
    }

    /// <summary>Whether the C# compiler made the type for an iterator or an asynchronous method.</summary>
    internal static bool IsMachine(Type type) =>
        type.IsNested && type.Name.StartsWith('<') && !GraphPath.IsClosure(type) && IsGenerated(type);

    private static ClosureUse Follow(IEnumerable<MethodBase> start)
    {
        var reads = new Dictionary<Type, HashSet<string>>();
        var seen = new HashSet<(Module, int)>();
        var machines = new HashSet<Type>();
        var work = new Stack<MethodBase>(start);
        while (work.TryPop(out var method))
        {
            if (!seen.Add((method.Module, method.MetadataToken)))
            {
                continue;
            }

            if (method.IsAbstract)
            {
                continue;
            }

            if (MembersOf(method) is not { } members)
            {
                return ClosureUse.Everything;
            }

            foreach (var (_, member, _) in members)
            {
                if (member is FieldInfo field && GraphPath.IsClosure(field.DeclaringType!))
                {
                    var definition = DefinitionOf(field.DeclaringType!);
                    if (!reads.TryGetValue(definition, out var fields))
                    {
                        reads[definition] = fields = new HashSet<string>(StringComparer.Ordinal);
                    }

                    fields.Add(field.Name);
                }

                if (member is MethodBase called && called.Module == method.Module && called.DeclaringType is { } owner
                    && (GraphPath.IsClosure(owner) || called.Name.StartsWith('<')) && !called.IsConstructor)
                {
                    work.Push(called);
                }

                foreach (var type in TypesIn(member))
                {
                    if (type.Module == method.Module && IsMachine(type) && machines.Add(DefinitionOf(type)))
                    {
                        foreach (var part in MethodsOf(type))
                        {
                            work.Push(part);
                        }
                    }
                }
            }
        }

        return new ClosureUse(reads);
    }

    private static HashSet<Type> WrittenIn(Type owner)
    {
        var written = new HashSet<Type>();
        var methods = MethodsOf(owner).Where(method => method.Name.Contains('<', StringComparison.Ordinal)).Concat(Nested(owner).SelectMany(MethodsOf));
        foreach (var method in methods)
        {
            if (method.IsAbstract)
            {
                continue;
            }

            if (MembersOf(method) is not { } members)
            {
                return [.. Nested(owner)];
            }

            // Who makes a closure sets it up.
            var made = members.Where(item => item.Code == OpCodes.Newobj).Select(item => DefinitionOf(item.Member.DeclaringType!)).ToHashSet();
            for (var i = 0; i < members.Count; i++)
            {
                var (code, member, isWrite) = members[i];
                if (isWrite && member is FieldInfo field && GraphPath.IsClosure(field.DeclaringType!) && DefinitionOf(field.DeclaringType!) is var definition
                    && !made.Contains(definition))
                {
                    written.Add(definition);
                }
            }
        }

        return written;
    }

    /// <summary>The members that a method mentions, and which of them it may write to; null when it is not understood.</summary>
    private static List<(OpCode Code, MemberInfo Member, bool IsWrite)>? MembersOf(MethodBase method)
    {
        if (MethodInstructions.Of(method) is not { } instructions)
        {
            return null;
        }

        var typeArguments = method.DeclaringType is { IsGenericType: true } owner ? owner.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        var members = new List<(OpCode, MemberInfo, bool)>();
        for (var i = 0; i < instructions.Count; i++)
        {
            var (code, token) = instructions[i];
            if (token == 0)
            {
                continue;
            }

            MemberInfo? member;
            try
            {
                member = method.Module.ResolveMember(token, typeArguments, methodArguments);
            }
            catch (Exception exception) when (exception is ArgumentException or IOException or TypeLoadException or MissingMemberException or BadImageFormatException)
            {
                return null;
            }

            if (member is not null)
            {
                members.Add((code, member, code == OpCodes.Stfld || (code == OpCodes.Ldflda && !OnlyReads(method.Module, instructions, i + 1, typeArguments, methodArguments))));
            }
        }

        return members;
    }

    // x.ToString(), pair.Item1, nullable.Value: the address of a variable is taken to read it.
    private static bool OnlyReads(Module module, List<Instruction> instructions, int next, Type[]? typeArguments, Type[]? methodArguments)
    {
        if (next >= instructions.Count)
        {
            return false;
        }

        var (code, token) = instructions[next];
        if (code == OpCodes.Ldfld)
        {
            return true;
        }

        return code == OpCodes.Call && module.ResolveMethod(token, typeArguments, methodArguments) is { IsStatic: false, DeclaringType: { IsValueType: true } type }
            && (type.IsPrimitive || type.IsDefined(typeof(IsReadOnlyAttribute), inherit: false)
                || (type.IsConstructedGenericType && type.GetGenericTypeDefinition() == typeof(Nullable<>)));
    }

    private static IEnumerable<Type> TypesIn(MemberInfo member)
    {
        switch (member)
        {
            case Type type:
                yield return type;
                break;

            case FieldInfo field:
                yield return field.DeclaringType!;
                break;

            case MethodBase method:
                if (method.DeclaringType is { } owner)
                {
                    yield return owner;
                }

                if (method.IsGenericMethod)
                {
                    foreach (var argument in method.GetGenericArguments())
                    {
                        yield return argument;
                    }
                }

                break;
        }
    }

    private static IEnumerable<MethodBase> MethodsOf(Type type) => type.GetMembers(TypeNames.Everything).OfType<MethodBase>();

    private static IEnumerable<Type> Nested(Type owner) =>
        owner.GetNestedTypes(BindingFlags.Public | BindingFlags.NonPublic).Where(IsGenerated)
            .SelectMany(type => Nested(type).Prepend(type));

    // Inside a type that is marked as its own, the compiler does not mark another.
    private static bool IsGenerated(Type type)
    {
        for (var part = type; part is not null; part = part.DeclaringType)
        {
            if (part.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false))
            {
                return true;
            }
        }

        return false;
    }

    private static Type DefinitionOf(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
